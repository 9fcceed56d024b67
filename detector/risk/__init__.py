"""From signals to a score per account."""
