"""A customer's signals count for every account that the customer was known to hold."""

from collections.abc import Sequence

from detector.core.events import Event
from tests import build
from tests.build import login, profile, transaction

STORM = [login(100, event_id=f"l{n}") for n in range(3)]
LAST = "brute_force_login:l0"


def counts_for(*events: Event | Sequence[Event]) -> set[str]:
    """The accounts for which a storm of failed logins counts."""
    flat = [e for item in events for e in (item if isinstance(item, list) else [item])]
    ledger = build.detect([[event] for event in flat])
    assert LAST in ledger.signals
    accounts = {account for account, name in ledger.attributed if name == LAST}
    assert {account for account, at in ledger.risk if at == build.moment(100)} == accounts
    return accounts


def test_accounts_of_a_profile_and_of_a_transaction_both_count() -> None:
    """Either way of knowing is enough."""
    known = [profile(0, accounts=["acc-1", "acc-2"]), transaction(50, "acc-3")]
    assert counts_for(*known, STORM) == {"acc-1", "acc-2", "acc-3"}


def test_an_account_known_at_that_very_moment_counts() -> None:
    """The same moment is in time."""
    assert counts_for(STORM, transaction(100, "acc-1")) == {"acc-1"}


def test_an_account_that_becomes_known_later_does_not_count() -> None:
    """What happened before it was held has nothing to do with it."""
    assert counts_for(STORM, transaction(100.001, "acc-1"), profile(200)) == set()


def test_a_link_that_arrives_late_counts_from_its_own_time() -> None:
    """Arrival order does not matter, only the order of events."""
    assert counts_for(STORM, transaction(99, "acc-1")) == {"acc-1"}
    assert counts_for(STORM, transaction(150, "acc-1"), transaction(99, "acc-1")) == {"acc-1"}
    assert counts_for(STORM, profile(99, accounts=["acc-1", "acc-2"])) == {"acc-1", "acc-2"}


def test_an_account_stays_held_when_a_later_profile_leaves_it_out() -> None:
    """Known to hold is known for good: closing accounts is not part of the contract."""
    assert counts_for(profile(0), profile(50, accounts=[]), STORM) == {"acc-1"}


def test_accounts_of_other_customers_do_not_count() -> None:
    """A storm is its own customer's trouble."""
    assert counts_for(profile(0, "cust-2"), STORM) == set()


def test_an_account_of_two_customers_gets_the_signals_of_both() -> None:
    """A joint account is at risk through either holder."""
    joint = [profile(0, "cust-1"), profile(0, "cust-2")]
    other = [login(101, "cust-2", event_id=f"m{n}") for n in range(3)]
    ledger = build.detect([[*joint, *STORM, *other]])
    assert {name.split(":")[1][0] for account, name in ledger.attributed} == {"l", "m"}
