"""Views of the queue under a name: filters, order and columns, of one user or shared with all."""

from dataclasses import dataclass
from datetime import datetime

from detector.adapters.people.audit_log import AuditLog
from detector.cases.principals import Principal
from detector.cases.review import ActionForbidden, ActionRefused

MOST_PER_USER = 20


@dataclass(frozen=True, slots=True)
class SavedView:
    """A named query string of the queue's page."""

    name: str
    owner: str
    shared: bool
    query: str
    saved_at: datetime


class SavedViews:
    """All saved views; a user has one of each name."""

    def __init__(self, audit: AuditLog) -> None:
        self._audit = audit

    def of(self, username: str) -> list[SavedView]:
        """One's own views by name, then those that others share."""
        rows = self._audit.rows(
            """SELECT name, owner, shared, query, saved_at FROM saved_views
            WHERE owner = ? OR shared ORDER BY owner <> ?, name, owner""",
            [username, username],
        )
        return [SavedView(**row) for row in rows]

    def save(self, principal: Principal, name: str, query: str, shared: bool) -> SavedView:
        """Save one's view, replacing an earlier one of that name."""
        with self._audit.transaction() as transaction:
            own = [v for v in self.of(principal.name) if v.owner == principal.name]
            if len(own) >= MOST_PER_USER and name not in {view.name for view in own}:
                raise ActionRefused(f"You have {MOST_PER_USER} views; delete one first.")
            transaction.db.execute(
                "INSERT OR REPLACE INTO saved_views (owner, name, shared, query, saved_at) "
                "VALUES (?, ?, ?, ?, ?)",
                [principal.name, name, shared, query, transaction.at],
            )
            detail = {"query": query, "shared": shared}
            transaction.record(principal, "save_view", "view", name, detail)
        return SavedView(name, principal.name, shared, query, transaction.at)

    def delete(self, principal: Principal, owner: str, name: str) -> None:
        """Delete a view; a shared one of someone else needs the permission to approve.

        Raises `KeyError` when there is none.
        """
        with self._audit.transaction() as transaction:
            found = [v for v in self.of(principal.name) if (v.owner, v.name) == (owner, name)]
            if not found:
                raise KeyError(name)
            if owner != principal.name and not principal.may("approve"):
                raise ActionForbidden(f"The view {name} is {owner}'s.")
            transaction.db.execute(
                "DELETE FROM saved_views WHERE owner = ? AND name = ?", [owner, name]
            )
            transaction.record(principal, "delete_view", "view", name, {"owner": owner})
