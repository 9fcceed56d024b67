"""The `fraud` command: the one place that builds objects and connects them."""
