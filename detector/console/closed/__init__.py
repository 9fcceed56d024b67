"""The closed cases, a page and its export."""
