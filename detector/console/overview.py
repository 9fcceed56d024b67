"""What the first screen shows."""

from dataclasses import dataclass

from detector.console.context import Context


@dataclass(frozen=True, slots=True)
class OverviewPage:
    """Everything overview.html may use."""

    title: str = "Overview"
    nav: str = "overview"


def overview(context: Context) -> OverviewPage:
    """The state of the bank at this moment."""
    return OverviewPage()
