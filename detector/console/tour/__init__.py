"""The guided tour: one takeover, event by event."""
