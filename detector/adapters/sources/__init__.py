"""Where events come from: the synthetic bank, files, the API."""
