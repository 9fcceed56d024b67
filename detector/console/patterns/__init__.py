"""The patterns: rules, precision, time to detect."""
