"""What surrounds and is shared by pages: base template, macros, scripts, styles, timeline, map."""
