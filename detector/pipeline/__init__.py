"""The loop from source to store to sinks, and what it promises across crashes."""
