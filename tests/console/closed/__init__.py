"""The closed cases of the console."""
