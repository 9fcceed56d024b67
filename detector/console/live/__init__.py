"""Live updates: the pulse, the hub of open screens, and the watcher of a cluster."""
