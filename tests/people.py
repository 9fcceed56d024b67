"""Taking actions on cases in tests."""

from typing import Any

from detector.adapters.people.reviews import Acted, CaseRecord
from detector.adapters.people.store import PeopleStore
from detector.cases.actions import ACTIONS
from detector.cases.actions.base import Action
from detector.cases.principals import Principal


def action(name: str, **fields: Any) -> Action:
    """An action by its name and fields."""
    return ACTIONS[name].model_validate(fields)


def act(
    people: PeopleStore, principal: Principal, case: CaseRecord, name: str, **fields: Any
) -> Acted:
    """Take an action on a case."""
    return people.reviews.act(principal, case, action(name, **fields))
