"""Measures and draws the pictures of docs/performance.md.

    python -m benchmarks.plots [throughput] [latency] [memory]

Throughput by share of signals, latency by rate, and memory by rate and customers, each with the
benchmark that measures it; several minutes.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from contextlib import closing
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from detector.adapters.database import StoreFile
from detector.cli.progress import EventProgress

IMAGES = Path("docs/images")
WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 640, 320, 64, 150, 44, 44
COLOURS = ("#1971c2", "#d9480f", "#2b8a3e", "#862e9c")
FRAUD_RATES = ("0", "0.01", "0.05", "0.2")
EVENTS = "150000"
Series = dict[str, list[tuple[float, float]]]


def chart(title: str, across: str, up: str, series: Series) -> str:
    """Lines over common axes from 0, as SVG."""
    points = [point for line in series.values() for point in line]
    most_x, most_y = max(x for x, _ in points), max(y for _, y in points)
    base, end = HEIGHT - BOTTOM, WIDTH - RIGHT

    def place(x: float, y: float) -> str:
        return f"{LEFT + x / most_x * (end - LEFT):.1f},{base - y / most_y * (base - TOP):.1f}"

    drawn = []
    for n, (name, line) in enumerate(series.items()):
        colour = COLOURS[n % len(COLOURS)]
        path = " ".join(place(x, y) for x, y in line)
        last_x, last_y = place(*line[-1]).split(",")
        drawn.append(
            f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>'
            f'<text x="{float(last_x) + 8:.1f}" y="{float(last_y) + 4:.1f}" fill="{colour}">'
            f"{escape(name)}: {line[-1][1]:,.4g}</text>"
        )
    ticks = "".join(
        f'<text x="{place(x, 0).split(",")[0]}" y="{base + 16}" text-anchor="middle">'
        f"{x:,.4g}</text>"
        for x in sorted({x for x, _ in points})
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
        'font-family="sans-serif" font-size="12">'
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>'
        f'<text x="{LEFT}" y="20" font-size="15">{escape(title)}</text>'
        f'<path d="M{LEFT} {TOP}V{base}H{end}" fill="none" stroke="#868e96"/>'
        f'<text x="{LEFT}" y="{TOP - 6}">{escape(up)}, up to {most_y:,.4g}</text>'
        f'<text x="{end}" y="{base + 34}" text-anchor="end">{escape(across)}</text>'
        f"{ticks}{''.join(drawn)}</svg>\n"
    )


def answers(*command: str) -> list[dict[str, Any]]:
    """The lines of JSON that a command prints."""
    done = subprocess.run([sys.executable, *command], stdout=subprocess.PIPE, check=True, text=True)
    return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]


def throughput() -> str:
    """Events a second on one core, as a share of decoding, by the share that fires."""
    series: Series = {"engine": [], "pipeline": []}
    for rate in FRAUD_RATES:
        with tempfile.TemporaryDirectory() as folder:
            out = str(Path(folder) / "bank")
            asked = ["--events", EVENTS, "--seed", "5", "--fraud-rate", rate]
            answers("-m", "detector.cli", "generate", "--out", out, *asked)
            store = str(Path(folder) / "s.duckdb")
            answers("-m", "detector.cli", "replay", out, "--store", store, "--json")
            with closing(StoreFile(Path(store))) as file:
                [found] = file.rows("SELECT count(*) AS signals FROM fraud_signals")
            [result] = answers("-m", "detector.cli", "bench", "--folder", out, "--json")
        share = 100 * found["signals"] / int(EVENTS)
        for name, line in series.items():
            line.append((round(share, 1), result[f"{name}_to_decode"]))
    return chart("Throughput", "signals per 100 events", "share of decoding", series)


def latency() -> str:
    """Milliseconds from due to committed, open loop, by rate."""
    rows = answers("-m", "benchmarks.latency", "--rates", "500", "1000", "2000", "3500", "5000")
    series = {
        name: [(row["rate"], row["latency_ms"][name]) for row in rows]
        for name in ("p50", "p99", "p99.9")
    }
    return chart("Latency, due to committed", "events a second", "ms", series)


def memory() -> str:
    """Megabytes of the engine after thirteen minutes of event time, by rate."""
    series: Series = {}
    for row in answers("-m", "benchmarks.memory"):
        line = series.setdefault(f"{row['customers']:,} customers", [])
        line.append((row["rate"], row["memory_mb"]))
    return chart("Memory of the engine", "events a second", "MB", series)


def main() -> None:
    """Write the pictures."""
    pictures = {"throughput": throughput, "latency": latency, "memory": memory}
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("picture", nargs="*", help="By default all.")
    asked = parser.parse_args().picture or list(pictures)
    with EventProgress("measuring", "pictures", len(asked)) as progress:
        for name in asked:
            (IMAGES / f"performance-{name}.svg").write_text(pictures[name](), "utf-8")
            progress.advance(1)


if __name__ == "__main__":
    main()
