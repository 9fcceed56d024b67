"""Patterns in words, for the console, the docs and the README."""

from detector.signals.conditions import words
from detector.signals.operators import OPERATORS
from detector.signals.pattern import Pattern


def definition(pattern: Pattern) -> str:
    """When the pattern fires, as a sentence; `counted_if` says which events count."""
    sentence = OPERATORS[pattern.operator].sentence(pattern)
    return f"{sentence[0].upper()}{sentence[1:]}."


def counted_if(pattern: Pattern) -> list[str]:
    """The conditions that an event must meet to count."""
    return [words(condition) for condition in pattern.where]


def summary(pattern: Pattern) -> str:
    """When the pattern fires and which events count, in one phrase."""
    sentence = OPERATORS[pattern.operator].sentence(pattern)
    conditions = counted_if(pattern)
    return f"{sentence}; counted if {', '.join(conditions)}" if conditions else sentence
