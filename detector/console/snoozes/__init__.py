"""Snoozed patterns."""
