"""`fraud demo`: one account takeover through the real engine, second by second."""

import sys
import time
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.padding import Padding

from detector.analysis.tour import Step, played
from detector.cli.options import AsJson
from detector.cli.output import LEVEL_STYLES, print_json, shown
from detector.core.text import label
from detector.pipeline.work import Work
from detector.signals.rules import Rules, load_rules

LONGEST_PAUSE_S = 2.5


def demo(
    fast: Annotated[bool, typer.Option("--fast", help="Do not pause between the events.")] = False,
    as_json: AsJson = False,
) -> None:
    """Walk through one account takeover: the fraudster, what the system sees, what you do."""
    rules = load_rules()
    found = []
    console = Console(highlight=False)
    asked: set[str] = set()
    pauses = sys.stdout.isatty() and not fast and not as_json
    before = 0.0
    for step, work, micros in played(rules):
        if pauses:
            time.sleep(min(LONGEST_PAUSE_S, step.at - before))
        before = step.at
        if as_json:
            found.append(_told(step, work, micros))
        else:
            _show(console, step, work, micros, rules, asked)
    if as_json:
        print_json(found)
    else:
        console.print(
            "\n[bold]You[/] would open the case, read why, ask the questions above, and press "
            "[bold]r[/] Enter to hold the payment,\n[bold]1[/] Enter to close it as fraud. Try it: "
            "`make run`, then `n` in the queue."
        )


def _told(step: Step, work: Work, micros: int) -> dict[str, Any]:
    return {
        "second": step.at,
        "who": step.who,
        "tells": step.tells,
        "signals": [{"pattern": s.pattern, "reason": s.reason} for s in work.new_signals],
        "cases": [
            {"level": c.level, "score": c.score, "recommended_action": c.recommended_action}
            for c in work.cases.values()
        ],
        "evaluated_in_us": micros,
    }


def _show(
    console: Console, step: Step, work: Work, micros: int, rules: Rules, asked: set[str]
) -> None:
    style = {"fraudster": "bold red", "customer": "green"}.get(step.who, "dim")
    minutes, seconds = divmod(int(step.at), 60)
    console.print(f"{minutes:2d}:{seconds:02d}  [{style}]{step.who:<10}[/] {step.tells}")
    for signal in work.new_signals:
        pattern = rules.patterns[signal.pattern]
        line = shown(f"system     {pattern.title}, after {micros / 1000:.1f} ms: {signal.reason}")
        console.print(Padding(line, (0, 0, 0, 7)))
        if pattern.guidance and pattern.guidance.say and pattern.id not in asked:
            asked.add(pattern.id)
            console.print(Padding(shown(f"ask        {pattern.guidance.say}", "dim"), (0, 0, 0, 7)))
    for case in work.cases.values():
        said = f"{case.level}, score {case.score:.2f}, AUD {case.exposure} exposed"
        action = label(case.recommended_action)
        line = shown(f"case       {said}: {action}", LEVEL_STYLES[case.level])
        console.print(Padding(line, (0, 0, 0, 7)))
