"""`fraud demo`: one account takeover through the real engine, second by second."""

import sys
import time
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.padding import Padding

from detector.analysis.tour import Scene, played
from detector.cli.options import AsJson
from detector.cli.output import LEVEL_STYLES, print_json, shown
from detector.core.text import label
from detector.signals.loading import load_rules
from detector.signals.rules import Rules

LONGEST_PAUSE_S = 2.5


def demo(
    fast: Annotated[bool, typer.Option("--fast", help="Do not pause between the events.")] = False,
    as_json: AsJson = False,
) -> None:
    """Walk through one account takeover, second by second.

    The fraudster, what the system sees, what you do.
    """
    rules = load_rules()
    found = []
    console = Console(highlight=False)
    pauses = sys.stdout.isatty() and not fast and not as_json
    before = 0.0
    for scene in played(rules):
        if pauses:
            time.sleep(min(LONGEST_PAUSE_S, scene.step.at - before))
        before = scene.step.at
        if as_json:
            found.append(_told(scene))
        else:
            _show(console, scene, rules)
    if as_json:
        print_json(found)
    else:
        console.print(
            "\n[bold]You[/] would open the case, read why, ask the questions above, and press "
            "[bold]r[/] Enter to hold the payment,\n[bold]1[/] Enter to close it as fraud. Try it: "
            "`make run`, then `n` in the queue."
        )


def _told(scene: Scene) -> dict[str, Any]:
    return {
        "second": scene.step.at,
        "who": scene.step.who,
        "tells": scene.step.tells,
        "signals": [{"pattern": s.pattern, "reason": s.reason} for s in scene.signals],
        "cases": [
            {"level": c.level, "score": c.score, "recommended_action": c.recommended_action}
            for c in scene.cases
        ],
        "evaluated_in_ms": round(scene.milliseconds, 3),
    }


def _show(console: Console, scene: Scene, rules: Rules) -> None:
    who = scene.step.who
    style = {"fraudster": "bold red", "customer": "green"}.get(who, "dim")
    console.print(f"{scene.clock:>5}  [{style}]{who:<10}[/] {scene.step.tells}")

    def tell(speaker: str, text: str, style: str = "") -> None:
        console.print(Padding(shown(f"{speaker:<10} {text}", style), (0, 0, 0, 7)))

    for signal in scene.signals:
        title = rules.patterns[signal.pattern].title
        tell("system", f"{title}, after {scene.milliseconds:.1f} ms: {signal.reason}")
    for text in scene.ask:
        tell("ask", text, "dim")
    for case in scene.cases:
        said = f"{case.level}, score {case.score:.2f}, AUD {case.exposure} exposed"
        tell("case", f"{said}: {label(case.recommended_action)}", LEVEL_STYLES[case.level])
