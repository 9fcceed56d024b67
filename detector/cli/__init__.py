"""The `fraud` command, which builds all objects and connects them."""
