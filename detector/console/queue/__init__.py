"""The case queue."""
