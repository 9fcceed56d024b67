"""What a case was closed as is withheld from those who neither decide nor report.

That a suspicion was formed must not reach people who do not need to know: the tipping-off
provisions (docs/regulatory_context.md). So they see that a case is closed, never as what.
"""

from detector.cases.principals import Principal
from detector.core.data import JsonObject

_TELLING = {"disposition", "text", "reason"}
_ACTIONS = {"close", "approve", "reject", "reopen", "undo"}


def sees_decisions(principal: Principal) -> bool:
    """Whether the principal sees what cases were closed as."""
    return principal.may("act") or principal.may("smr")


def without_decision(action: str, detail: JsonObject) -> JsonObject:
    """The details of an action on a case, without what it was closed as, and why."""
    kept = {k: v for k, v in detail.items() if action not in _ACTIONS or k not in _TELLING}
    for state in ("before", "after"):
        if isinstance(kept.get(state), dict):
            kept[state] = {k: v for k, v in kept[state].items() if k not in _TELLING}
    return kept
