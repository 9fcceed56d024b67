"""Actions on a case: every one that is allowed, and none that is not."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.cases.actions import ACTIONS
from detector.cases.principals import PERMISSIONS, Principal
from detector.cases.review import (
    DISPOSITIONS,
    STATUSES,
    ActionForbidden,
    ActionRefused,
    Review,
)
from tests.people import action as action_of

KIM, LEE = Principal("kim", "analyst"), Principal("lee", "analyst")
SAM, PAT = Principal("sam", "supervisor"), Principal("pat", "supervisor")
NEW = Review("case_1")
MINE = Review("case_1", "IN_REVIEW", "kim")
THEIRS = Review("case_1", "IN_REVIEW", "lee")
ESCALATED = Review("case_1", "ESCALATED", reason="Help.")
PENDING = Review("case_1", "PENDING_APPROVAL", "kim", "CONFIRMED_FRAUD", "kim", "Sure.")
CLOSED = Review("case_1", "CLOSED", "kim", "FALSE_POSITIVE", None, "Shop.")
SCAM = Review("case_1", "CLOSED", "kim", "CONFIRMED_SCAM", None, "Said so.")

FIELDS: dict[str, dict[str, Any]] = {
    "assign": {"to": "lee"},
    "note": {"text": "Noted."},
    "instruct": {"instruction": "BLOCK_CARD", "target": "tok-1"},
    "close": {"disposition": "CONFIRMED_SCAM", "text": "Said so."},
    "reject": {"text": "Look again."},
}

# From which state, who, does what: and what the case is afterwards.
ALLOWED = [
    (NEW, KIM, "claim", replace(NEW, status="IN_REVIEW", owner="kim")),
    (ESCALATED, SAM, "claim", replace(ESCALATED, owner="sam")),
    (MINE, KIM, "release", replace(MINE, status="NEW", owner=None)),
    (THEIRS, SAM, "release", replace(THEIRS, status="NEW", owner=None)),
    (replace(ESCALATED, owner="sam"), SAM, "release", ESCALATED),
    (NEW, KIM, "assign", replace(NEW, status="IN_REVIEW", owner="lee")),
    (MINE, KIM, "assign", replace(MINE, owner="lee")),
    (ESCALATED, SAM, "assign", replace(ESCALATED, status="IN_REVIEW", owner="lee")),
    (THEIRS, KIM, "note", THEIRS),
    (CLOSED, KIM, "note", CLOSED),
    (NEW, KIM, "escalate", replace(NEW, status="ESCALATED")),
    (MINE, KIM, "escalate", replace(MINE, status="ESCALATED", owner=None)),
    (THEIRS, KIM, "instruct", THEIRS),
    (PENDING, KIM, "instruct", PENDING),
    (NEW, KIM, "close", Review("case_1", "CLOSED", "kim", "CONFIRMED_SCAM", None, "Said so.")),
    (MINE, KIM, "close", Review("case_1", "CLOSED", "kim", "CONFIRMED_SCAM", None, "Said so.")),
    (THEIRS, SAM, "close", Review("case_1", "CLOSED", "lee", "CONFIRMED_SCAM", None, "Said so.")),
    (
        ESCALATED,
        SAM,
        "close",
        Review("case_1", "CLOSED", "sam", "CONFIRMED_SCAM", None, "Said so."),
    ),
    (PENDING, SAM, "approve", replace(PENDING, status="CLOSED")),
    (PENDING, SAM, "reject", Review("case_1", "IN_REVIEW", "kim", reason="Look again.")),
    (CLOSED, LEE, "reopen", Review("case_1", "IN_REVIEW", "lee")),
]

REFUSED = [
    (MINE, KIM, "claim", "You already own"),
    (THEIRS, KIM, "claim", "lee owns the case"),
    (THEIRS, SAM, "claim", "lee owns the case"),
    (ESCALATED, KIM, "claim", "escalated"),
    (PENDING, SAM, "claim", "kim proposed"),
    (CLOSED, KIM, "claim", "closed; reopen"),
    (NEW, KIM, "release", "has no owner"),
    (THEIRS, KIM, "release", "lee owns the case"),
    (PENDING, KIM, "release", "waiting for approval"),
    (THEIRS, KIM, "assign", "lee owns the case"),
    (THEIRS, SAM, "assign", "lee already owns the case"),
    (ESCALATED, KIM, "assign", "escalated"),
    (CLOSED, SAM, "assign", "closed; reopen"),
    (ESCALATED, SAM, "escalate", "already escalated"),
    (THEIRS, KIM, "escalate", "lee owns the case"),
    (PENDING, KIM, "escalate", "waiting for approval"),
    (CLOSED, KIM, "instruct", "closed; reopen"),
    (THEIRS, KIM, "close", "lee owns the case"),
    (ESCALATED, KIM, "close", "escalated"),
    (PENDING, SAM, "close", "waiting for approval"),
    (CLOSED, KIM, "close", "closed; reopen"),
    (MINE, SAM, "approve", "not waiting for approval"),
    (NEW, SAM, "reject", "not waiting for approval"),
    (CLOSED, SAM, "approve", "not waiting for approval"),
    (NEW, KIM, "reopen", "Only a closed case"),
    (PENDING, KIM, "reopen", "Only a closed case"),
]


def do(review: Review, person: Principal, action: str, needs_approval: bool = False) -> Review:
    taken = action_of(action, **FIELDS.get(action, {}))
    taken.check(review, person)
    return taken.apply(review, person, needs_approval)


@pytest.mark.parametrize(("before", "person", "action", "after"), ALLOWED)
def test_what_is_allowed(before: Review, person: Principal, action: str, after: Review) -> None:
    """Every step, and all that it changes."""
    assert do(before, person, action) == after


@pytest.mark.parametrize(("before", "person", "action", "why"), REFUSED)
def test_what_is_refused(before: Review, person: Principal, action: str, why: str) -> None:
    """Every step that makes no sense says why."""
    with pytest.raises(ActionRefused, match=why):
        do(before, person, action)


def test_a_critical_closing_is_a_proposal_first() -> None:
    """It keeps who proposed it and what."""
    proposed = do(MINE, KIM, "close", needs_approval=True)
    assert proposed == Review(
        "case_1", "PENDING_APPROVAL", "kim", "CONFIRMED_SCAM", "kim", "Said so."
    )


@pytest.mark.parametrize("action", ["approve", "reject"])
def test_a_closing_is_not_approved_by_its_proposer(action: str) -> None:
    """Not even a supervisor."""
    proposed = do(NEW, SAM, "close", needs_approval=True)
    with pytest.raises(ActionForbidden, match="Four eyes"):
        do(proposed, SAM, action)
    assert do(proposed, PAT, action).status in ("CLOSED", "IN_REVIEW")


@pytest.mark.parametrize("action", ["approve", "reject"])
def test_an_analyst_approves_nothing(action: str) -> None:
    """It takes the permission."""
    with pytest.raises(ActionForbidden, match="role analyst, which does not allow"):
        do(PENDING, LEE, action)


@pytest.mark.parametrize("role", [r for r, may in PERMISSIONS.items() if "act" not in may])
@pytest.mark.parametrize("action", [name for name in ACTIONS if name != "undo"])
def test_who_may_not_act_does_nothing(role: Any, action: str) -> None:
    """Viewers, administrators and machines look on."""
    with pytest.raises(ActionForbidden, match=f"role {role}, which does not allow"):
        do(NEW, Principal("vic", role), action)


PEOPLE = [KIM, LEE, SAM, PAT]
STEPS = st.lists(
    st.tuples(
        st.sampled_from(PEOPLE),
        st.sampled_from([name for name in ACTIONS if name != "undo"]),
        st.booleans(),
    )
)


@given(STEPS)
def test_a_case_is_always_in_a_sound_state(steps: list[tuple[Principal, str, bool]]) -> None:
    """Any actions in any order."""
    review = NEW
    for person, action, needs_approval in steps:
        before = review
        try:
            review = do(before, person, action, needs_approval)
        except ActionRefused:
            continue
        assert review.status in STATUSES
        decided = review.status in ("PENDING_APPROVAL", "CLOSED")
        assert (review.disposition in DISPOSITIONS) == decided
        assert (review.disposition is None) == (not decided)
        assert review.owner is not None or not decided
        if review.status == "PENDING_APPROVAL":
            assert review.proposed_by is not None
        if review.status == "CLOSED" and before.status == "PENDING_APPROVAL":
            assert person.name != before.proposed_by and person.may("approve")
        if review.status == "NEW":
            assert review.owner is None


@given(STEPS)
def test_four_eyes_cannot_be_walked_around(steps: list[tuple[Principal, str, bool]]) -> None:
    """Where closing takes a second person, two different users were involved."""
    review, proposer = NEW, None
    for person, action, _ in steps:
        try:
            review = do(review, person, action, needs_approval=True)
        except ActionRefused:
            continue
        if action == "close":
            proposer = person.name
        if review.status == "CLOSED" and action == "approve":
            assert proposer is not None and proposer != person.name
        assert not (action == "close" and review.status == "CLOSED")
