"""Shared by pages: base template, macros, scripts, styles, timeline, map."""
