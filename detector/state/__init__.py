"""Keyed state in event time: trailing windows and ordered events."""
