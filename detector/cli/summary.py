"""The closing summary of a run."""

from rich.console import Console

from detector.cli.output import print_json, print_rows
from detector.core.data import JsonObject


def print_summary(summary: JsonObject, as_json: bool) -> None:
    """Print what a run did."""
    if as_json:
        print_json(summary)
        return
    print_rows("Signals", ["pattern", "signals"], summary["signals"].items())
    cases = ", ".join(f"{n} {level}" for level, n in summary["cases"].items())
    latency = summary["latency_ms"]
    said = "no signal was live"
    if latency["p50"] is not None:
        said = f"p50 {latency['p50']} ms, p99 {latency['p99']} ms"
    Console(highlight=False).print(
        f"{summary['events']:,} events in {summary['seconds']:.1f} s "
        f"({summary['events_per_s']:,.0f}/s); cases: {cases}.\n"
        f"Dead letters {summary['dead_letters']:,}, duplicates {summary['duplicates']:,}, "
        f"late {summary['late']:,}, future {summary['future']:,}.\n"
        f"Ingestion to committed signal: {said}.",
        soft_wrap=True,
    )
