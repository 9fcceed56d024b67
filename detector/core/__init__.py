"""What every layer may use: errors, the rules of detection, and the event types."""
