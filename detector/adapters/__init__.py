"""Sources, stores and sinks: the only code that uses files and networks."""
