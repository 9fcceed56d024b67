"""From an account's signals to cases for analysts."""
