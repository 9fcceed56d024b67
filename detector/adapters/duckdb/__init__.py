"""The embedded store: one DuckDB file, its views, and what a restart reads from it."""
