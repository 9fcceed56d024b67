"""One case: its page, the actions on it, and its suspicious matter report."""
