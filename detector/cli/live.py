"""Progress of a running system: a live view in a terminal, plain lines elsewhere."""

import time
from collections import deque
from collections.abc import Callable, Sequence
from types import TracebackType

from rich.console import Console, Group
from rich.layout import Layout
from rich.live import Live
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from detector.adapters.questions import AccountRisk
from detector.cli.output import LEVEL_STYLES, shown
from detector.core.text import label, printable
from detector.pipeline.tally import Tally
from detector.pipeline.work import Work
from detector.signals.rules import Rules

PLAIN_EVERY_SECONDS = 10.0
WIDE = 130
"""From how many columns on there is room for a third list."""


class PlainLines:
    """A sink that prints a line for each case that opens, and a summary every ten seconds."""

    def __init__(self, tally: Tally, console: Console) -> None:
        self._tally = tally
        self._console = console
        self._seen: set[str] = set()
        self._printed_at = time.monotonic()

    def publish(self, work: Work) -> None:
        """Print the cases that opened."""
        for case in work.cases.values():
            if case.case_id not in self._seen:
                self._seen.add(case.case_id)
                self._print(
                    f"case {case.case_id} {case.level} {case.score:.2f} customer "
                    f"{case.customer_id}: {', '.join(case.patterns)} -> {case.recommended_action}"
                )
        if time.monotonic() - self._printed_at >= PLAIN_EVERY_SECONDS:
            self._printed_at = time.monotonic()
            self._print(_headline(self._tally))

    def _print(self, line: str) -> None:
        self._console.print(printable(line), markup=False, highlight=False, soft_wrap=True)


class LiveView:
    """A full-screen view of a run; use it as a context around the run.

    `riskiest` gives the accounts of highest risk, in that order; `url` is where the console is, on
    the first line and never cut. All of it fits 80 columns and 24 lines.
    """

    def __init__(
        self,
        tally: Tally,
        rules: Rules,
        riskiest: Callable[[], Sequence[AccountRisk]],
        title: str,
        url: str = "",
        console: Console | None = None,
    ) -> None:
        self._tally = tally
        self._riskiest = riskiest
        self._rules = rules
        self._title, self._url = title, url
        self._ticks: deque[tuple[float, int]] = deque([(time.monotonic(), 0)], maxlen=60)
        self._console = console or Console()
        self._live = Live(
            get_renderable=self.render,
            console=self._console,
            screen=True,
            refresh_per_second=4,
            transient=True,
        )

    def __enter__(self) -> "LiveView":
        self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._live.stop()

    def render(self) -> Layout:
        """The screen's current content."""
        width, height = self._console.size
        layout = Layout()
        lines = 1 + -(-len(self._url) // (width - 4)) if self._url else 1
        layout.split_column(
            Layout(
                Panel(self._numbers(), title=shown(self._title), border_style="blue"),
                size=lines + 4,
            ),
            Layout(name="middle", size=max(len(self._rules.patterns) + 2, (height - 5) // 2)),
            Layout(Panel(self._newest(), title="Newest signals"), ratio=1),
        )
        columns = [
            Layout(Panel(self._patterns(), title="Signals by pattern", padding=0), size=37),
            Layout(
                Panel(self._cases(width >= WIDE), title="Open cases of this run", padding=0),
                ratio=4,
            ),
        ]
        if width >= WIDE:
            accounts = Panel(self._accounts(), title="Accounts by risk, last 2 minutes")
            columns.insert(1, Layout(accounts, ratio=3))
        layout["middle"].split_row(*columns)
        return layout

    def _numbers(self) -> Group:
        tally = self._tally
        with tally.lock:
            events = sum(tally.events.values())
            now = time.monotonic()
            self._ticks.append((now, events))
            began, before = self._ticks[0]
            rate = (events - before) / (now - began) if now > began else 0.0
            signals = sum(tally.signals.values())
            latency = tally.latency_ms()
            counts = (
                f"dead letters {tally.dead_letters:,}   duplicates {tally.duplicates:,}   "
                f"late {tally.late:,}   future {tally.future:,}"
            )
        cases = tally.open_cases()
        p50, p99 = latency["p50"], latency["p99"]
        speed = "-" if p50 is None or p99 is None else f"{p50:.0f} / {p99:.0f} ms"
        seconds = int(now - tally.started_at)
        url = [Text(self._url, style="bold blue", overflow="fold")] if self._url else []
        return Group(
            *url,
            Text(
                f"up {seconds // 60}:{seconds % 60:02d}   events {events:,}   {rate:.1f}/s   "
                f"signals {signals:,}   open cases {len(cases):,}",
                style="bold",
            ),
            Text(f"ingestion to committed signal p50 / p99  {speed}"),
            Text(counts + "   Ctrl-C stops", style="dim"),
        )

    def _patterns(self) -> Table:
        table = Table.grid(padding=(0, 1))
        for pattern in self._rules.patterns.values():
            count = self._tally.signals[pattern.id]
            table.add_row(
                shown(pattern.title), Text(f"{count:,}", style="bold" if count else "dim")
            )
        return table

    def _accounts(self) -> Table:
        table = Table.grid(padding=(0, 2))
        for account in self._riskiest():
            style = LEVEL_STYLES[account.risk_level]
            table.add_row(
                Text(f"{account.risk_score:.2f}", style=style),
                shown(account.account_id),
                Text(", ".join(account.patterns), style="dim"),
            )
        return table

    def _cases(self, with_patterns: bool) -> Table:
        table = _one_line_each(13, 11, *([16] if with_patterns else []))
        for case in self._tally.open_cases()[:12]:
            patterns = Text(", ".join(map(label, case.patterns)), style="dim")
            table.add_row(
                Text(f"{case.level} {case.score:.2f}", style=LEVEL_STYLES[case.level]),
                shown(case.customer_id),
                shown(label(case.recommended_action)),
                *([patterns] if with_patterns else []),
            )
        return table

    def _newest(self) -> Table:
        table = _one_line_each(8, 22)
        with self._tally.lock:
            newest = list(self._tally.newest)[-14:]
        for signal in reversed(newest):
            table.add_row(
                Text(signal.occurred_at.strftime("%H:%M:%S"), style="dim"),
                shown(self._rules.patterns[signal.pattern].title),
                shown(signal.reason),
            )
        return table


def _one_line_each(*widths: int) -> Table:
    """A table with columns of these widths, and a last one that gets what is left."""
    table = Table.grid(padding=(0, 1), expand=True)
    for width in widths:
        table.add_column(no_wrap=True, width=width)
    table.add_column(no_wrap=True, overflow="ellipsis", ratio=1)
    return table


def _headline(tally: Tally) -> str:
    summary = tally.summary()
    levels = ", ".join(f"{n} {level}" for level, n in summary["cases"].items())
    return (
        f"{summary['events']} events ({summary['events_per_s']:.1f}/s), "
        f"{sum(summary['signals'].values())} signals, cases: {levels}, "
        f"dead letters {summary['dead_letters']}, p99 {summary['latency_ms']['p99']} ms"
    )
