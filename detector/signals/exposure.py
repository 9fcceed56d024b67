"""The money behind a signal: which transactions are suspicious because it fired."""

from bisect import bisect_left, bisect_right
from collections.abc import Callable
from operator import attrgetter
from typing import Any, NamedTuple

from detector.core.events import Event, Transaction
from detector.signals.currencies import cents_of
from detector.state.windows import TrailingWindow

_id_of = attrgetter("event_id")


class Exposure(NamedTuple):
    """An entry of `Signal.exposed`, parsed."""

    gone: bool
    cents: int


def exposure_of(event: Event) -> str | None:
    """A suspicious transaction as an entry of `Signal.exposed`: `at_risk 120.00 <event_id>`.

    Money is `gone` where nothing can be recalled or charged back: cash that was withdrawn, goods
    handed over for a card that was present. Nothing is exposed by what was declined or reversed, by
    a customer's own cash deposit, or in a currency without a rate. The dbt macro
    `exposure_entry` writes the same.
    """
    if type(event) is not Transaction or event.base_amount is None:
        return None
    if event.status != "APPROVED" or event.transaction_type == "CASH_DEPOSIT":
        return None
    gone = event.card_present or event.transaction_type == "CASH_WITHDRAWAL"
    return f"{'gone' if gone else 'at_risk'} {event.base_amount} {event.event_id}"


def exposures(events: list[Any]) -> list[str]:
    """The entries of some events, sorted."""
    return sorted(entry for event in events if (entry := exposure_of(event)))


def parsed(entry: str) -> Exposure:
    """What an entry says."""
    kind, amount, _ = entry.split(" ", 2)
    return Exposure(kind == "gone", cents_of(amount))


def event_id_of(entry: str) -> str:
    """The transaction of an entry."""
    return entry.split(" ", 2)[2]


def newly_exposed(
    window: TrailingWindow,
    index: int,
    fires: Callable[[int], bool],
    event_of: Callable[[Any], Any],
) -> list[str]:
    """The entries of a firing item's window that no earlier firing of the key has exposed.

    So a burst of n events yields n entries in all, not n for each of them. Of items at the same
    time, the first by event_id exposes what came before and itself, the others themselves.
    """
    times, items, at = window.times, window.items, window.times[index]
    first, *others = _peers(window, index, event_of)
    if event_of(items[index]) is not first:
        return exposures(others)
    found = [first]
    start, _ = window.bounds(index)
    for place in range(index - 1, start - 1, -1):
        if times[place] == at:
            continue
        if fires(place):
            found += _peers(window, place, event_of)[1:]
            break
        found.append(event_of(items[place]))
    return exposures(found)


def next_firing(window: TrailingWindow, start: int, fires: Callable[[int], bool]) -> range:
    """The first firing item from `start` on with those at the same time; maybe none."""
    for place in range(start, len(window.times)):
        if fires(place):
            return range(place, bisect_right(window.times, window.times[place]))
    return range(0)


def _peers(window: TrailingWindow, index: int, event_of: Callable[[Any], Any]) -> list[Any]:
    """The events at the time of the one at `index`, by event_id; mostly it is alone."""
    times = window.times
    start, end, at = index, index + 1, times[index]
    if (start and times[start - 1] == at) or (end < len(times) and times[end] == at):
        start, end = bisect_left(times, at), bisect_right(times, at)
    return sorted(map(event_of, window.items[start:end]), key=_id_of)
