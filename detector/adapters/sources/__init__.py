"""Sources of events: the synthetic bank, files, the API."""
