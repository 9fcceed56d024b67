"""What programs call: intake of events, scoring, named questions, live stream, health."""
