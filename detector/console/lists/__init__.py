"""Named lists of values that conditions ask about."""
