"""From events to signals: one file an operator, patterns read from the dbt project."""
