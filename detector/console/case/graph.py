"""The graph of entities that a case shares with other open cases."""

from collections.abc import Sequence
from typing import NamedTuple

from detector.console.queries.links import LinkedCase, Shared

ROW = 26
WIDTH, LEFT, MIDDLE, RIGHT = 400, 14, 120, 262
MOST_THINGS = 7


class Thing(NamedTuple):
    """A shared device, address, merchant or customer."""

    y: float
    shared: Shared


class Other(NamedTuple):
    """Another open case."""

    y: float
    case: LinkedCase


class Columns(NamedTuple):
    """The fixed geometry of the graph: three columns, and text beside two of them."""

    width: float = WIDTH
    case_x: float = LEFT
    thing_x: float = MIDDLE
    thing_text_x: float = MIDDLE + 11
    other_x: float = RIGHT
    other_text_x: float = RIGHT + 12


class Graph(NamedTuple):
    """The graph, in the units of its view box."""

    columns: Columns
    height: float
    case_y: float
    things: list[Thing]
    others: list[Other]
    edges: list[str]


def graph(links: Sequence[LinkedCase]) -> Graph | None:
    """Lay the links out in three columns; None without links.

    The most shared entities come first; at most `MOST_THINGS` are drawn, so that every line can be
    followed.
    """
    counts: dict[tuple[str, str], int] = {}
    for link in links:
        for shared in link.shares:
            counts[shared.kind, shared.value] = counts.get((shared.kind, shared.value), 0) + 1
    if not counts:
        return None
    kept = sorted(counts, key=lambda key: -counts[key])[:MOST_THINGS]
    others = [link for link in links if any((s.kind, s.value) in kept for s in link.shares)]
    # Placing each entity at the mean position of its cases crosses few lines.
    held = [{(s.kind, s.value) for s in other.shares} for other in others]
    kept.sort(key=lambda key: _mean([n for n, keys in enumerate(held) if key in keys]))
    height = ROW * max(len(kept), len(others))
    things = [
        Thing(_y(n, len(kept), height), Shared.model_validate({"kind": kind, "value": value}))
        for n, (kind, value) in enumerate(kept)
    ]
    drawn = [Other(_y(n, len(others), height), link) for n, link in enumerate(others)]
    at = {(thing.shared.kind, thing.shared.value): thing.y for thing in things}
    middle = height / 2
    edges = [_edge(LEFT + 7, middle, MIDDLE - 10, thing.y) for thing in things]
    edges += [
        _edge(MIDDLE + 10, at[share.kind, share.value], RIGHT - 9, other.y)
        for other in drawn
        for share in other.case.shares
        if (share.kind, share.value) in at
    ]
    return Graph(Columns(), height, middle, things, drawn, edges)


def _mean(values: Sequence[int]) -> float:
    return sum(values) / len(values) if values else 0.0


def _y(number: int, of: int, height: float) -> float:
    return round(height / of * (number + 0.5), 1)


def _edge(x1: float, y1: float, x2: float, y2: float) -> str:
    bend = (x1 + x2) / 2
    return f"M{x1:g} {y1:g}C{bend:g} {y1:g} {bend:g} {y2:g} {x2:g} {y2:g}"
