"""HTTP basics that know nothing of fraud: problems, fields, formatting, cursors, limits, hosts."""
