"""The life of a case: every step that is allowed, and none that is not."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector.cases.people import PERMISSIONS, Person
from detector.cases.review import ACTIONS, DISPOSITIONS, STATUSES, Forbidden, Refused, Review, apply

KIM, LEE = Person("kim", "analyst"), Person("lee", "analyst")
SAM, PAT = Person("sam", "supervisor"), Person("pat", "supervisor")
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
    (MINE, KIM, "claim", "yours already"),
    (THEIRS, KIM, "claim", "lee has the case"),
    (THEIRS, SAM, "claim", "lee has the case"),
    (ESCALATED, KIM, "claim", "escalated"),
    (PENDING, SAM, "claim", "kim proposed"),
    (CLOSED, KIM, "claim", "closed; reopen"),
    (NEW, KIM, "release", "Nobody has"),
    (THEIRS, KIM, "release", "lee has the case"),
    (PENDING, KIM, "release", "waits for approval"),
    (THEIRS, KIM, "assign", "lee has the case"),
    (THEIRS, SAM, "assign", "lee has the case already"),
    (ESCALATED, KIM, "assign", "escalated"),
    (CLOSED, SAM, "assign", "closed; reopen"),
    (ESCALATED, SAM, "escalate", "escalated already"),
    (THEIRS, KIM, "escalate", "lee has the case"),
    (PENDING, KIM, "escalate", "waits for approval"),
    (CLOSED, KIM, "instruct", "closed; reopen"),
    (THEIRS, KIM, "close", "lee has the case"),
    (ESCALATED, KIM, "close", "escalated"),
    (PENDING, SAM, "close", "waits for approval"),
    (CLOSED, KIM, "close", "closed; reopen"),
    (MINE, SAM, "approve", "Nothing about the case waits"),
    (NEW, SAM, "reject", "Nothing about the case waits"),
    (CLOSED, SAM, "approve", "Nothing about the case waits"),
    (NEW, KIM, "reopen", "Only a closed case"),
    (PENDING, KIM, "reopen", "Only a closed case"),
]


def do(review: Review, person: Person, action: str, needs_approval: bool = False) -> Review:
    return apply(review, person, action, needs_approval, **FIELDS.get(action, {}))


@pytest.mark.parametrize(("before", "person", "action", "after"), ALLOWED)
def test_what_is_allowed(before: Review, person: Person, action: str, after: Review) -> None:
    """Every step, and all that it changes."""
    assert do(before, person, action) == after


@pytest.mark.parametrize(("before", "person", "action", "why"), REFUSED)
def test_what_is_refused(before: Review, person: Person, action: str, why: str) -> None:
    """Every step that makes no sense says why."""
    with pytest.raises(Refused, match=why):
        do(before, person, action)


def test_a_critical_closing_is_a_proposal_first() -> None:
    """It keeps who proposed it and what."""
    proposed = do(MINE, KIM, "close", needs_approval=True)
    assert proposed == Review(
        "case_1", "PENDING_APPROVAL", "kim", "CONFIRMED_SCAM", "kim", "Said so."
    )


@pytest.mark.parametrize("action", ["approve", "reject"])
def test_nobody_agrees_with_themselves(action: str) -> None:
    """Not even a supervisor."""
    proposed = do(NEW, SAM, "close", needs_approval=True)
    with pytest.raises(Forbidden, match="Four eyes"):
        do(proposed, SAM, action)
    assert do(proposed, PAT, action).status in ("CLOSED", "IN_REVIEW")


@pytest.mark.parametrize("action", ["approve", "reject"])
def test_an_analyst_approves_nothing(action: str) -> None:
    """It takes the permission."""
    with pytest.raises(Forbidden, match="analyst may not approve"):
        do(PENDING, LEE, action)


@pytest.mark.parametrize("role", [r for r, may in PERMISSIONS.items() if "act" not in may])
@pytest.mark.parametrize("action", ACTIONS)
def test_who_may_not_act_does_nothing(role: Any, action: str) -> None:
    """Viewers, administrators and machines look on."""
    with pytest.raises(Forbidden, match=f"{role} may look at"):
        do(NEW, Person("vic", role), action)


PEOPLE = [KIM, LEE, SAM, PAT]
STEPS = st.lists(st.tuples(st.sampled_from(PEOPLE), st.sampled_from(list(ACTIONS)), st.booleans()))


@given(STEPS)
def test_a_case_is_always_in_a_sound_state(steps: list[tuple[Person, str, bool]]) -> None:
    """Whatever people try in whatever order."""
    review = NEW
    for person, action, needs_approval in steps:
        before = review
        try:
            review = do(before, person, action, needs_approval)
        except Refused:
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
def test_four_eyes_cannot_be_walked_around(steps: list[tuple[Person, str, bool]]) -> None:
    """Where closing takes two, two different people were always at it."""
    review, proposer = NEW, None
    for person, action, _ in steps:
        try:
            review = do(review, person, action, needs_approval=True)
        except Refused:
            continue
        if action == "close":
            proposer = person.name
        if review.status == "CLOSED" and action == "approve":
            assert proposer is not None and proposer != person.name
        assert not (action == "close" and review.status == "CLOSED")
