"""From signals to their effects: attributions, scores and cases."""

from collections.abc import Iterable

from detector.cases.book import CaseBook
from detector.cases.case import Case
from detector.pipeline.knowledge import KnownKeys
from detector.pipeline.ports import Memory
from detector.pipeline.work import Work
from detector.risk.attribution import Attribution
from detector.risk.score import RiskBook, RiskPoint
from detector.signals.engine import SignalChange
from detector.signals.signal import Signal


class Effects:
    """Adds to a work what changed signals change."""

    def __init__(
        self, attribution: Attribution, risk: RiskBook, cases: CaseBook, known: KnownKeys
    ) -> None:
        self._attribution = attribution
        self._risk = risk
        self._cases = cases
        self._known = known

    def resume(self, memory: Memory) -> None:
        """Restore what the signals of an earlier run led to; after its events were learned."""
        for signal in memory.customer_signals:
            self._known.prepare_customer(signal.customer_id)
            self._attribution.accounts(signal)
        for account, signal in memory.attributed:
            for _ in self._risk.add(account, signal):
                pass
        for customer in memory.reviewed:
            self._known.prepare_customer(customer.customer_id)
            self._cases.repeat_all(customer)
        for signal in memory.case_signals:
            self._known.prepare_customer(signal.customer_id)
            self._cases.repeat(signal)

    def apply(self, change: SignalChange, work: Work) -> None:
        """A signal is new, updated or withdrawn; in shadow it is only kept."""
        kind, signal, shadow = change
        if shadow:
            work.shadow[signal.signal_id] = None if kind == "withdrawn" else signal
            if kind == "new":
                work.new_shadow.append(signal)
            return
        # A key may be shared by customers, so this need not be the customer of the event at hand.
        self._known.prepare_customer(signal.customer_id)
        if kind == "withdrawn":
            work.signals[signal.signal_id] = None
            work.withdrawn_signals.append(signal)
            for account in self._attribution.withdraw(signal):
                self._release(account, signal, work)
            self._keep(self._cases.withdraw(signal), work)
            return
        work.signals[signal.signal_id] = signal
        if kind == "new":
            work.new_signals.append(signal)
            for account in self._attribution.accounts(signal):
                self.attribute(account, signal, work)
        self._keep(self._cases.add(signal), work)

    def attribute(self, account: str, signal: Signal, work: Work) -> None:
        """The signal counts for the account."""
        work.attributions[account, signal.signal_id] = signal
        for point in self._risk.add(account, signal):
            work.risk[account, point.occurred_at] = point

    def _release(self, account: str, signal: Signal, work: Work) -> None:
        work.attributions[account, signal.signal_id] = None
        for point in self._risk.withdraw(account, signal):
            if isinstance(point, RiskPoint):
                work.risk[account, point.occurred_at] = point
            else:
                work.risk[account, point] = None

    @staticmethod
    def _keep(cases: Iterable[Case], work: Work) -> None:
        work.cases.update((case.case_id, case) for case in cases)
