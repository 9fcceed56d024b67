"""Real-time bank fraud detection in one process."""
