"""Sources, stores and sinks: the only code that touches files and networks."""
