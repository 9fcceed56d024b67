"""Drawings of lines, by Matplotlib, which is an extra."""

from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import NamedTuple

from detector.core.errors import InputError
from detector.core.extras import imported

SUFFIXES = (".svg", ".png")


class Mark(NamedTuple):
    """A label at a point."""

    x: float
    y: float
    text: str
    bold: bool = False


def draw(
    path: Path,
    title: str,
    across: str,
    up: str,
    lines: Mapping[str, Sequence[tuple[float, float]]],
    marks: Sequence[Mark] = (),
) -> None:
    """Draw lines of (x, y) by name over common axes from 0, as SVG or PNG by the file's suffix.

    The same picture for the same values. Raises `InputError` for another suffix, or without
    Matplotlib.
    """
    if path.suffix not in SUFFIXES:
        raise InputError(f"{path.name} is drawn as {' or '.join(SUFFIXES)}; name it so.")
    matplotlib = imported("matplotlib", "matplotlib", "plots", "Drawing")
    with matplotlib.rc_context({"svg.hashsalt": "fraud", "svg.fonttype": "none"}):
        figure = import_module("matplotlib.figure").Figure(figsize=(7, 4), layout="constrained")
        axes = figure.subplots()
        for name, line in lines.items():
            axes.plot(*zip(*sorted(line), strict=True), marker="o", label=name)
        for mark in marks:
            axes.annotate(
                _plain(mark.text), (mark.x, mark.y), (6, -12), textcoords="offset points",
                fontweight="bold" if mark.bold else "normal",
            )  # fmt: skip
            if mark.bold:
                axes.plot(mark.x, mark.y, marker="o", markersize=11, color="tab:red")
        axes.set(title=_plain(title), xlabel=across, ylabel=up, xlim=0, ylim=0)
        axes.spines[["top", "right"]].set_visible(False)
        if len(lines) > 1:
            axes.legend(frameon=False)
        figure.savefig(path, dpi=150, metadata={"Date": None} if path.suffix == ".svg" else None)


def _plain(text: str) -> str:
    """Without the mathematics that a dollar sign begins."""
    return text.replace("$", r"\$")
