"""The people store: every change is stored with its audit entry, or not at all."""

import threading
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from detector.adapters.duckdb.store import DuckDBStore
from detector.adapters.people.reviews import Conflict
from detector.adapters.people.store import PeopleStore
from detector.cases.audit import Tampered
from detector.cases.principals import Principal, UserRole
from detector.cases.review import ActionForbidden, ActionRefused, Review
from detector.pipeline.detector import Detector
from tests import build
from tests.people import act, action

KIM = Principal("kim", "analyst")
LEE = Principal("lee", "analyst")
SAM = Principal("sam", "supervisor")
PAT = Principal("pat", "supervisor")
ROOT = Principal("root", "admin")
NOON = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)


class Clock:
    """A clock that the test moves."""

    def __init__(self) -> None:
        self.at = NOON

    def __call__(self) -> datetime:
        return self.at

    def wait(self, **time: float) -> None:
        self.at += timedelta(**time)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def people(clock: Clock) -> Iterator[PeopleStore]:
    """An empty people store."""
    connection = duckdb.connect()
    kept = PeopleStore(connection, clock=clock)
    yield kept
    kept.close()
    connection.close()


def case(case_id: str = "case_1", level: str = "critical", **fields: Any) -> dict[str, Any]:
    """A row of the open cases."""
    return {
        "case_id": case_id,
        "customer_id": "cust-1",
        "account_ids": "acc-1",
        "level": level,
        "patterns": "velocity, cnp_spike",
        "exposure": Decimal("910.00"),
        "already_gone": Decimal("0.00"),
        "last_signal_at": NOON - timedelta(minutes=4),
        "opened_at": NOON - timedelta(minutes=5),
        "due_at": None,
        **fields,
    }


def tables_of(people: PeopleStore) -> list[Any]:
    """The whole content of the people store."""
    names = ["case_reviews", "audit_log", "users", "api_keys", "snoozes", "smr_drafts"]
    return [people.audit.rows(f"SELECT * FROM {name} ORDER BY 1") for name in names]


def test_an_untouched_case_is_new(people: PeopleStore) -> None:
    """No row is needed for it."""
    assert people.reviews.get("case_1") == Review("case_1")
    assert people.reviews.of(["case_1"]) == {}
    assert people.reviews.snapshot("case_1") is None


def test_an_action_changes_the_review_and_is_audited(people: PeopleStore) -> None:
    """Both say who, what and when."""
    review, entry = act(people, KIM, case(), "claim")
    assert review == Review(
        "case_1", "IN_REVIEW", "kim", version=1, reviewed_at=NOON, customer_id="cust-1"
    )
    assert people.reviews.get("case_1") == review
    assert people.reviews.history("case_1") == [entry]
    assert (entry.seq, entry.at, entry.actor, entry.role) == (1, NOON, "kim", "analyst")
    assert (entry.action, entry.subject) == ("claim", "case_1")
    assert entry.detail["case"]["customer_id"] == "cust-1"
    assert entry.detail["before"]["status"] == "NEW"
    assert entry.detail["after"]["owner"] == "kim"


def test_the_snapshot_is_the_case_as_it_was_when_last_acted_on(people: PeopleStore) -> None:
    """Amounts and times come back as they were."""
    act(people, KIM, case(score=0.8), "claim")
    act(people, KIM, case(score=0.9), "note", text="Two cards.")
    assert people.reviews.snapshot("case_1") == case(score=0.9)


def test_a_refused_action_leaves_no_trace(people: PeopleStore) -> None:
    """Neither a review nor an entry."""
    act(people, KIM, case(), "claim")
    kept = tables_of(people)
    with pytest.raises(ActionRefused, match="kim owns the case"):
        act(people, LEE, case(), "claim")
    assert tables_of(people) == kept


def test_a_write_that_fails_takes_the_change_back_with_it(
    people: PeopleStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The review is not kept without its entry; the next action works."""
    broken = case(strange=object.__new__(type("Odd", (), {"__str__": lambda _: 1 / 0})))
    kept = tables_of(people)
    with pytest.raises(ZeroDivisionError):
        act(people, KIM, broken, "claim")
    assert tables_of(people) == kept
    act(people, KIM, case(), "claim")
    assert people.audit.verify() == 1


def test_an_idle_claim_returns_to_the_queue(people: PeopleStore) -> None:
    """After so long without an action of the owner; a note of theirs counts as one."""
    act(people, KIM, case(), "claim")
    assert people.reviews.release_idle(timedelta(hours=1)) == []
    later = people.audit.clock() + timedelta(hours=2)
    people.audit.clock = lambda: later
    assert people.reviews.release_idle(timedelta(hours=1)) == [case()["case_id"]]
    review = people.reviews.get(case()["case_id"])
    assert (review.status, review.owner) == ("NEW", None)
    entry = people.reviews.history(case()["case_id"])[0]
    assert (entry.actor, entry.action, entry.detail["idle_minutes"]) == ("console", "release", 60)
    assert people.reviews.release_idle(timedelta(hours=1)) == []
    assert people.audit.verify() == 2


def test_acting_on_a_changed_case_is_a_conflict(people: PeopleStore) -> None:
    """The version the person saw is no longer the case's."""
    seen = act(people, KIM, case(level="high"), "claim").review.version
    act(people, SAM, case(level="high"), "note", text="The customer rang.")
    with pytest.raises(Conflict, match="sam added a note at"):
        act(people, KIM, case(level="high"), "close", version=seen, disposition="FALSE_POSITIVE")
    act(people, KIM, case(level="high"), "close", version=2, disposition="CONFIRMED_FRAUD")


def test_closing_a_critical_case_takes_two(people: PeopleStore) -> None:
    """The one who proposed cannot agree to it."""
    proposed = act(people, SAM, case(), "close", disposition="CONFIRMED_FRAUD").review
    assert (proposed.status, proposed.proposed_by) == ("PENDING_APPROVAL", "sam")
    with pytest.raises(ActionForbidden, match="Four eyes"):
        act(people, SAM, case(), "approve")
    assert act(people, PAT, case(), "approve").review.status == "CLOSED"


@pytest.mark.parametrize(("four_eyes", "level"), [(True, "high"), (False, "critical")])
def test_other_cases_close_at_once(four_eyes: bool, level: str) -> None:
    """Four eyes are for critical cases, where the setting asks for them."""
    with duckdb.connect() as connection:
        people = PeopleStore(connection, four_eyes=four_eyes)
        closed = act(people, KIM, case(level=level), "close", disposition="INCONCLUSIVE").review
        assert closed.status == "CLOSED"


def test_undo_restores_the_review_and_is_audited(people: PeopleStore) -> None:
    """Nothing is erased: the version moves on and an entry says what was taken back."""
    claimed = act(people, KIM, case(level="high"), "claim").review
    closed = act(
        people, KIM, case(level="high"), "close", disposition="FALSE_POSITIVE", text="Café"
    )
    review, entry = act(people, KIM, case(level="high"), "undo")
    assert review == Review(
        "case_1", "IN_REVIEW", "kim", version=3, reviewed_at=NOON, customer_id="cust-1"
    )
    assert (claimed.status, claimed.owner) == (review.status, review.owner)
    assert (entry.detail["undoes"], entry.detail["undone"]) == (closed.entry.seq, "close")
    assert [e.action for e in people.reviews.history("case_1")] == ["undo", "close", "claim"]


def test_undo_walks_back_over_one_s_own_actions(people: PeopleStore) -> None:
    """Each further undo takes back the one before; then nothing is left."""
    act(people, KIM, case(), "claim")
    act(people, KIM, case(), "escalate")
    assert act(people, KIM, case(), "undo").review.owner == "kim"
    assert act(people, KIM, case(), "undo").review.status == "NEW"
    with pytest.raises(ActionRefused, match="no action on the case to undo"):
        act(people, KIM, case(), "undo")


def test_undoing_an_instruction_names_what_is_revoked(people: PeopleStore) -> None:
    """The receiver learns what was revoked."""
    sent = act(people, KIM, case(), "instruct", instruction="BLOCK_CARD", target="tok-1").entry
    taken_back = act(people, KIM, case(), "undo").entry.detail
    assert (taken_back["undoes"], taken_back["undone"]) == (sent.seq, "instruct")
    assert (taken_back["instruction"], taken_back["target"]) == ("BLOCK_CARD", "tok-1")


def test_undo_is_refused_when_someone_else_acted_last(people: PeopleStore) -> None:
    """Their action is based on yours; their note is not."""
    act(people, KIM, case(), "claim")
    act(people, SAM, case(), "escalate")
    with pytest.raises(ActionRefused, match="sam acted on the case last"):
        act(people, KIM, case(), "undo")
    act(people, SAM, case(), "undo")
    act(people, LEE, case(), "note", text="I know this shop.")
    assert act(people, KIM, case(), "undo").review.owner is None
    with pytest.raises(ActionRefused, match="no action on the case to undo"):
        act(people, KIM, case(), "undo")


def test_undo_is_refused_after_a_quarter_of_an_hour(people: PeopleStore, clock: Clock) -> None:
    """Within it is fine, to the second."""
    act(people, KIM, case(), "claim")
    clock.wait(minutes=15, seconds=1)
    with pytest.raises(ActionRefused, match="more than 15 minutes"):
        act(people, KIM, case(), "undo")
    clock.wait(seconds=-1)
    assert act(people, KIM, case(), "undo").review.status == "NEW"


def test_a_case_is_assigned_only_to_a_user_who_may_act(people: PeopleStore) -> None:
    """The message names who can."""
    roles: dict[str, UserRole] = {"lee": "analyst", "vic": "viewer", "gone": "analyst"}
    for name, role in roles.items():
        people.users.add(ROOT, name, role, "hash", False)
    people.users.change(ROOT, "gone", disabled=True)
    for name in ("vic", "gone", "nobody"):
        with pytest.raises(
            ActionRefused, match=f"{name} is not a user who may act .* those are: lee"
        ):
            act(people, SAM, case(), "assign", to=name)
    assert act(people, SAM, case(), "assign", to="lee").review.owner == "lee"


def test_many_cases_at_once_with_some_that_refuse(people: PeopleStore) -> None:
    """What can be done is done, the rest says why not; a case named twice counts once."""
    act(people, LEE, case("case_2"), "claim")
    cases = [case(f"case_{n}") for n in (1, 2, 3, 1)]
    done, refused = people.reviews.act_on_all(KIM, cases, action("claim"))
    assert [acted.review.case_id for acted in done] == ["case_1", "case_3"]
    assert {name: str(error)[:17] for name, error in refused.items()} == {
        "case_2": "lee owns the case"
    }
    assert {r.owner for r in people.reviews.of(["case_1", "case_3"]).values()} == {"kim"}
    assert people.audit.verify() == 3


def test_entries_are_found_by_what_is_asked(people: PeopleStore) -> None:
    """Newest first, page by page."""
    for n in range(5):
        act(people, KIM if n % 2 else LEE, case(f"case_{n}"), "claim")
    assert [e.seq for e in people.audit.entries(2)] == [5, 4]
    assert [e.seq for e in people.audit.entries(2, before_seq=4)] == [3, 2]
    assert [e.seq for e in people.audit.entries(actor="kim")] == [4, 2]
    assert [e.seq for e in people.audit.entries(subject="case_3", action="claim")] == [4]
    assert [e.seq for e in people.audit.after(3)] == [4, 5]


TAMPERING = {
    "content": "UPDATE audit_log SET detail = '{}' WHERE seq = 3",
    "actor": "UPDATE audit_log SET actor = 'lee' WHERE seq = 3",
    "time": "UPDATE audit_log SET acted_at = acted_at + INTERVAL '1 microsecond' WHERE seq = 3",
    "hash": "UPDATE audit_log SET hash = repeat('a', 64) WHERE seq = 3",
    "chain": "UPDATE audit_log SET previous_hash = repeat('a', 64) WHERE seq = 3",
    "gap": "DELETE FROM audit_log WHERE seq = 3",
}


@pytest.mark.parametrize("how", TAMPERING)
def test_tampering_is_found_where_it_happened(people: PeopleStore, how: str) -> None:
    """The first entry that does not fit is named."""
    for text in "abcde":
        act(people, KIM, case(), "note", text=text)
    assert people.audit.verify() == 5
    people.audit._db.execute(TAMPERING[how])
    with pytest.raises(Tampered) as found:
        people.audit.verify()
    assert found.value.seq == 3


FORGERIES = {
    "role": "UPDATE users SET role = 'admin' WHERE username = 'lee'",
    "password": "UPDATE users SET password_hash = 'x' WHERE username = 'lee'",
    "user": "INSERT INTO users VALUES ('eve', 'x', 'admin', false, false, 1, now())",
    "gone": "DELETE FROM users WHERE username = 'lee'",
    "key": "UPDATE api_keys SET digest = 'x'",
    "unrevoked": "UPDATE api_keys SET revoked_at = NULL",
    "disposition": "UPDATE case_reviews SET disposition = 'FALSE_POSITIVE'",
    "snooze": "UPDATE snoozes SET until = until + INTERVAL 1 YEAR",
    "listed": "UPDATE list_entries SET value = 'dev-2'",
}


@pytest.mark.parametrize("how", FORGERIES)
def test_a_row_changed_behind_the_log_is_found(people: PeopleStore, how: str) -> None:
    """What people did is as the log left it, or verifying says so."""
    people.users.add(ROOT, "lee", "analyst", "hash", must_change=False)
    key, _ = people.keys.add(ROOT, "bank")
    people.keys.revoke(ROOT, key.key_id)
    act(people, KIM, case(level="high"), "close", disposition="CONFIRMED_FRAUD")
    people.snoozes.add(KIM, "velocity", "customer", "cust-1", NOON, "known")
    people.list_entries.add(KIM, "known_bad_devices", "dev-1", "A takeover.", None)
    assert people.audit.verify() == 6
    people.audit._db.execute(FORGERIES[how])
    with pytest.raises(Tampered, match="is not as it was left"):
        people.audit.verify()


def test_two_entries_changing_places_are_found(people: PeopleStore) -> None:
    """The order of what was done is part of the record."""
    for text in "abc":
        act(people, KIM, case(), "note", text=text)
    people.audit._db.execute("UPDATE audit_log SET seq = 5 - seq WHERE seq > 1")
    with pytest.raises(Tampered) as found:
        people.audit.verify()
    assert found.value.seq == 2


def test_a_desk_goes_on_from_what_it_finds(tmp_path: Path) -> None:
    """After a restart the chain goes on, and the file is for its owner's eyes only."""
    path = tmp_path / "data" / "console.duckdb"
    first = PeopleStore.open(path)
    act(first, KIM, case(), "claim")
    assert path.parent.stat().st_mode & 0o777 == 0o700
    first.close()
    assert path.stat().st_mode & 0o777 == 0o600
    second = PeopleStore.open(path)
    act(second, KIM, case(), "release")
    assert second.audit.verify() == 2
    assert second.reviews.get("case_1").version == 2
    second.close()


def test_dispositions_are_counted_by_pattern(people: PeopleStore) -> None:
    """A case counts once for each of its patterns, when it is closed."""
    for n, outcome in enumerate(["CONFIRMED_FRAUD", "FALSE_POSITIVE", "FALSE_POSITIVE"]):
        act(people, KIM, case(f"case_{n}", "high"), "close", disposition=outcome)
    act(
        people,
        KIM,
        case("case_4", "high", patterns="velocity"),
        "close",
        disposition="INCONCLUSIVE",
    )
    act(people, KIM, case("case_5"), "close", disposition="CONFIRMED_FRAUD")
    assert [tuple(row.values()) for row in people.reviews.dispositions()] == [
        ("cnp_spike", "CONFIRMED_FRAUD", 1),
        ("cnp_spike", "FALSE_POSITIVE", 2),
        ("velocity", "CONFIRMED_FRAUD", 1),
        ("velocity", "FALSE_POSITIVE", 2),
        ("velocity", "INCONCLUSIVE", 1),
    ]


def test_a_snooze_holds_until_it_runs_out_or_is_ended(people: PeopleStore, clock: Clock) -> None:
    """Then it is heard of again."""
    until = NOON + timedelta(hours=1)
    short = people.snoozes.add(KIM, "velocity", "account", "acc-1", until, "Known shop.")
    long = people.snoozes.add(KIM, "velocity", "card", "t-1", until + timedelta(days=1), "Travel.")
    assert people.snoozes.active(NOON) == [short, long]
    assert people.snoozes.active(until) == [long]
    people.snoozes.end(LEE, long.snooze_id)
    assert people.snoozes.active(NOON) == [short]
    with pytest.raises(ActionRefused, match="already over"):
        people.snoozes.end(LEE, long.snooze_id)
    clock.wait(hours=1)
    with pytest.raises(ActionRefused, match="already over"):
        people.snoozes.end(LEE, short.snooze_id)
    with pytest.raises(KeyError):
        people.snoozes.end(LEE, "snz_none")
    assert [e.action for e in people.audit.entries()] == ["end_snooze", "snooze", "snooze"]


def test_every_read_of_a_report_is_audited(people: PeopleStore) -> None:
    """Also when there was none yet; what it says stays out of the log and of the case."""
    assert people.reports.read(SAM, "case_1") is None
    people.reports.save(SAM, "case_1", {"grounds": "Two deposits of 9,500."})
    draft = people.reports.read(PAT, "case_1")
    assert draft is not None
    assert draft["fields"] == {"grounds": "Two deposits of 9,500."}
    assert [(e.actor, e.action) for e in people.audit.entries(subject_kind="smr")] == [
        ("pat", "read_smr"), ("sam", "save_smr"), ("sam", "read_smr"),
    ]  # fmt: skip
    assert "9,500" not in repr(people.audit.entries())
    assert people.reviews.history("case_1") == []


def test_the_last_administrator_stays(people: PeopleStore) -> None:
    """The last administrator cannot be disabled; with a second one it is possible."""
    people.users.add(ROOT, "root", "admin", "hash", False)
    for change in ({"disabled": True}, {"role": "viewer"}):
        with pytest.raises(ActionRefused, match="root is the last administrator"):
            people.users.change(ROOT, "root", **change)
    people.users.add(ROOT, "two", "admin", "hash", False)
    assert people.users.change(ROOT, "root", disabled=True).disabled
    with pytest.raises(ActionRefused, match="two is the last"):
        people.users.change(ROOT, "two", role="viewer")


def test_of_two_adding_the_same_user_one_is_refused(people: PeopleStore) -> None:
    """A change of one password leaves the others."""
    outcomes: list[str] = []

    def add(number: int) -> None:
        try:
            people.users.add(ROOT, "kim", "analyst", f"hash {number}", False)
            outcomes.append(f"hash {number}")
        except ActionRefused:
            outcomes.append("refused")

    threads = [threading.Thread(target=add, args=[n]) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    [kept] = [outcome for outcome in outcomes if outcome != "refused"]
    assert people.audit.rows("SELECT password_hash FROM users") == [{"password_hash": kept}]
    user = people.users.get("kim")
    assert user is not None and user.password_hash == kept


def test_secrets_never_reach_the_log(people: PeopleStore) -> None:
    """Neither a password's hash nor a key, whole or digested."""
    people.users.add(ROOT, "kim", "analyst", "argon-hash-1", True)
    people.users.set_password(ROOT, "kim", "argon-hash-2", False)
    key, whole = people.keys.add(ROOT, "payments")
    people.keys.revoke(ROOT, key.key_id)
    said = repr(people.audit.entries()) + repr(people.users.all()) + repr(people.keys.all())
    for secret in ("argon-hash", whole.split("_", 2)[2], key.digest):
        assert secret not in said
    assert len(people.audit.entries()) == 4


def test_keys_from_before_keys_had_roles_are_machines(tmp_path: Path) -> None:
    """A file of that time is brought up to date when it is opened; later keys keep their roles."""
    path = tmp_path / "people.duckdb"
    with closing(PeopleStore.open(path)) as people:
        old, _ = people.keys.add(ROOT, "payments")
        people.audit._db.execute("ALTER TABLE api_keys DROP COLUMN role")
    with closing(PeopleStore.open(path)) as people:
        people.keys.add(ROOT, "wallboard", "viewer")
    with closing(PeopleStore.open(path)) as people:
        assert [key.role for key in people.keys.all()] == ["machine", "viewer"]
        assert people.keys.get(old.key_id) == old


def test_listeners_hear_of_what_was_kept_only(people: PeopleStore) -> None:
    """After the commit, and never of what was refused."""
    heard: list[tuple[str, int]] = []
    people.audit.listeners.append(lambda e: heard.append((e.action, people.audit.verify())))
    act(people, KIM, case(), "claim")
    with pytest.raises(ActionRefused):
        act(people, KIM, case(), "claim")
    assert heard == [("claim", 1)]


def test_users_and_detection_write_concurrently(tmp_path: Path) -> None:
    """Commits of the pipeline and actions of several people do not interfere."""
    store = DuckDBStore(tmp_path / "s.duckdb", build.REAL)
    people = store.people()
    failures: list[BaseException] = []
    busy = True

    def guarded(work: Any) -> threading.Thread:
        def run() -> None:
            try:
                work()
            except BaseException as error:
                failures.append(error)

        return threading.Thread(target=run)

    def detect() -> None:
        detector = Detector(build.REAL, store.known_events, clock=lambda: build.NOW)
        for n in range(40):
            deposits = [build.cash(n * 30, f"acc-{k}", customer_id=f"c-{k}") for k in range(5)]
            store.commit(detector.process("test", build.batch(deposits, str(n))))

    def work(person: Principal) -> None:
        for n in range(40):
            act(people, person, case(f"case_{n}"), "note", text=f"{n}")

    def read() -> None:
        while busy:
            people.reviews.of(f"case_{n}" for n in range(40))
            store.query("SELECT * FROM mv_open_fraud_cases")
            people.reviews.history("case_7")

    writers = [guarded(detect), *(guarded(lambda p=p: work(p)) for p in (KIM, LEE, SAM))]
    reader = guarded(read)
    for thread in (*writers, reader):
        thread.start()
    for thread in writers:
        thread.join()
    busy = False
    reader.join()
    assert failures == []
    assert people.audit.verify() == 120
    assert {r.version for r in people.reviews.of(f"case_{n}" for n in range(40)).values()} == {3}
    assert len(store.query("SELECT * FROM mv_open_fraud_cases")) == 5
    store.close()


def test_an_action_hides_a_closed_case_from_the_open_ones(tmp_path: Path) -> None:
    """The view's status and owner are those of the reviews."""
    store = DuckDBStore(tmp_path / "s.duckdb", build.REAL)
    detector = Detector(build.REAL, store.known_events, clock=lambda: build.NOW)
    store.commit(detector.process("test", build.batch([build.cash(0), build.cash(1)], "1")))
    query = "SELECT * FROM mv_open_fraud_cases"
    [found] = store.rows(query)
    assert (found["status"], found["owner"]) == ("NEW", None)
    act(store.people(), KIM, found, "claim")
    [row] = store.rows(query)
    assert (row["status"], row["owner"]) == ("IN_REVIEW", "kim")
    act(store.people(), KIM, found, "close", disposition="SUSPICIOUS")
    assert store.query(query) == []
    store.close()


def test_the_last_decision_is_found_whatever_came_after(people: PeopleStore) -> None:
    """Claiming the next case and writing notes are no decisions."""
    high = case(level="high")
    act(people, KIM, high, "close", disposition="FALSE_POSITIVE")
    act(people, KIM, high, "note", text="Called the customer.")
    act(people, KIM, case("case_2"), "claim")
    assert people.reviews.last_decision(KIM) == "case_1"
    assert act(people, KIM, high, "undo").review.status == "NEW"
    with pytest.raises(ActionRefused, match="taken no decision"):
        people.reviews.last_decision(KIM)


def test_a_decision_that_was_followed_up_is_not_the_last(people: PeopleStore, clock: Clock) -> None:
    """By oneself, by someone else, or by a quarter of an hour."""
    act(people, SAM, case(), "escalate")
    act(people, SAM, case(), "claim")
    with pytest.raises(ActionRefused, match="acted on case_1 since"):
        people.reviews.last_decision(SAM)
    act(people, PAT, case("case_2"), "escalate")
    act(people, SAM, case("case_2"), "claim")
    with pytest.raises(ActionRefused, match="sam acted on the case last"):
        people.reviews.last_decision(PAT)
    act(people, KIM, case("case_3"), "escalate")
    clock.wait(minutes=16)
    with pytest.raises(ActionRefused, match="taken no decision"):
        people.reviews.last_decision(KIM)
