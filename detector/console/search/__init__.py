"""Search by id."""
