"""Authentication and authorization: sessions, keys, passwords, throttling, permissions."""
