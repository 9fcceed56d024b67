"""Why something fired, opened or raised nothing."""
