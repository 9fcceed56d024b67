"""The embedded store: one DuckDB file, its views, and recovery from it."""
