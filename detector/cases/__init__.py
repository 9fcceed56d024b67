"""From an account's signals to a case that an analyst decides."""
