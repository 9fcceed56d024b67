"""The view of an account or a customer."""

from dataclasses import dataclass

from detector.console.party.chart import ScoreChart, score_chart
from detector.console.party.model import AccountFile, CustomerFile
from detector.console.shell.timeline import TimelineEntry, of_event
from detector.signals.rules import Rules


@dataclass(frozen=True, slots=True)
class PartyView:
    """Everything party/page.html may use: an account or a customer."""

    kind: str
    id: str
    file: AccountFile | CustomerFile
    account_ids: list[str]
    customer_id: str | None
    history: list[TimelineEntry]
    older_href: str | None
    later: bool
    scores: ScoreChart | None
    nav: str = ""

    @property
    def title(self) -> str:
        """The title of the page."""
        return f"{self.kind.capitalize()} {self.id}"


def party_view(file: AccountFile | CustomerFile, rules: Rules, later: bool) -> PartyView:
    """An account or a customer for one user; `later` says that it is not the first page."""
    history = [of_event(event) for event in file.events]
    older_href = f"?cursor={file.next}#history" if file.next else None
    if isinstance(file, CustomerFile):
        return PartyView(
            "customer", file.customer_id, file, file.account_ids, None, history, older_href, later,
            scores=None,
        )  # fmt: skip
    accounts = file.profile.account_ids if file.profile else [file.account_id]
    return PartyView(
        "account", file.account_id, file, accounts, file.customer_id, history, older_href, later,
        scores=score_chart(file.scores, rules) if file.scores else None,
    )  # fmt: skip
