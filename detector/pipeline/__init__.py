"""The loop from source to store to sinks, and its guarantees across crashes."""
