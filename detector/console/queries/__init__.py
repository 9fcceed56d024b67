"""Queries over the views, one file per subject."""
