"""From events to signals: one file per operator; patterns are read from the dbt project."""
