"""HTTP basics without fraud: problems, fields, formatting, cursors, limits, hosts."""
