"""People's work on cases, in DuckDB: reviews, snoozes, SMR drafts, and the record of it all."""

import json
import re
import secrets
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from importlib.resources import files
from pathlib import Path
from typing import Any, NamedTuple

import duckdb

from detector.adapters.audit_log import AuditLog, Change
from detector.adapters.database import connect
from detector.adapters.staff import Staff
from detector.cases import review as life
from detector.cases.audit import Entry
from detector.cases.people import Person
from detector.cases.review import Refused, Review
from detector.cases.undo import undoable

Case = Mapping[str, Any]
_STATE = ("status", "owner", "disposition", "proposed_by", "reason")
_REVIEW = f"case_id, {', '.join(_STATE)}, version, reviewed_at"


class Conflict(Refused):
    """Somebody acted on the case after the person looked at it."""


class Acted(NamedTuple):
    """What became of a case, and the entry that says so."""

    review: Review
    entry: Entry


@dataclass(frozen=True, slots=True)
class Snooze:
    """Nobody wants to hear of a pattern for an entity for a while."""

    snooze_id: str
    pattern: str
    entity_kind: str
    entity: str
    until: datetime
    reason: str
    created_by: str
    created_at: datetime
    ended_at: datetime | None


def desk_schema() -> str:
    """The statements that create the desk's tables where they are missing."""
    return files("detector.adapters").joinpath("desk.sql").read_text("utf-8")


def desk_tables() -> set[str]:
    """The names of the desk's tables."""
    return set(re.findall(r"CREATE TABLE IF NOT EXISTS (\w+)", desk_schema()))


def now() -> datetime:
    """The wall clock."""
    return datetime.now(UTC)


class Desk:
    """Where people's work is kept; every change and its audit entry are one transaction.

    Safe from any thread. It has its own cursor on the connection's database and writes only its
    own tables, so it never conflicts with the pipeline. Make one per database.
    """

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        *,
        four_eyes: bool = True,
        clock: Callable[[], datetime] = now,
    ) -> None:
        self._own: duckdb.DuckDBPyConnection | None = None
        self._four_eyes = four_eyes
        connection.cursor().execute(desk_schema())
        self.log = AuditLog(connection, clock)
        self.staff = Staff(self.log)

    @classmethod
    def open(cls, path: Path, **options: Any) -> "Desk":
        """The desk in a file: a store's, or one of its own, which only its owner may read."""
        connection = connect(path)
        try:
            desk = cls(connection, **options)
        except BaseException:
            connection.close()
            raise
        desk._own = connection
        return desk

    def close(self) -> None:
        """Let go of the database."""
        self.log.close()
        if self._own is not None:
            self._own.close()

    def reviews(self, case_ids: Iterable[str]) -> dict[str, Review]:
        """The reviews of those of the cases that somebody has touched."""
        query = f"SELECT {_REVIEW} FROM case_reviews WHERE case_id IN (SELECT unnest(?::VARCHAR[]))"
        return {row["case_id"]: Review(**row) for row in self.log.rows(query, [list(case_ids)])}

    def review(self, case_id: str) -> Review:
        """The review of a case; that of an untouched case is NEW."""
        return self.reviews([case_id]).get(case_id) or Review(case_id)

    def snapshot(self, case_id: str) -> dict[str, Any] | None:
        """A case as it was when somebody last acted on it."""
        found = self.log.rows("SELECT snapshot FROM case_reviews WHERE case_id = ?", [case_id])
        return _thawed(json.loads(found[0]["snapshot"])) if found else None

    def closed(
        self, account_id: str | None = None, customer_id: str | None = None, limit: int = 50
    ) -> list[dict[str, Any]]:
        """The closed cases of an account or a customer as they were, the latest decided first.

        Each carries how it ended: `disposition`, `owner` and `reviewed_at`.
        """
        column, value = ("account_id", account_id) if account_id else ("customer_id", customer_id)
        rows = self.log.rows(
            f"""SELECT status, owner, disposition, reviewed_at, snapshot FROM case_reviews
            WHERE status = 'CLOSED' AND snapshot ->> '$.{column}' = ?
            ORDER BY reviewed_at DESC, case_id LIMIT ?""",
            [value, limit],
        )
        return [{**_thawed(json.loads(row.pop("snapshot"))), **row} for row in rows]

    def act(
        self,
        person: Person,
        case: Case,
        action: str,
        *,
        version: int | None = None,
        **fields: Any,
    ) -> Acted:
        """Do one of `review.ACTIONS`, or `undo`, to a case (a row of the open cases).

        `version` is that of the review the person saw; raises `Conflict` if it is no longer so,
        and `Refused` or `Forbidden` if the life of a case does not allow it.
        """
        with self.log.change() as change:
            return self._act(change, person, case, action, version, fields)

    def act_on_all(
        self, person: Person, cases: Sequence[Case], action: str, **fields: Any
    ) -> tuple[list[Acted], dict[str, Refused]]:
        """The same to many cases in one transaction; the cases that refuse are left alone."""
        done: list[Acted] = []
        refused: dict[str, Refused] = {}
        with self.log.change() as change:
            for case in {case["case_id"]: case for case in cases}.values():
                try:
                    done.append(self._act(change, person, case, action, None, fields))
                except Refused as error:
                    refused[case["case_id"]] = error
        return done, refused

    def history(self, case_id: str, limit: int = 1000) -> list[Entry]:
        """What people did to a case, newest first."""
        return self.log.entries(limit, subject=case_id, subject_kind="case")

    def entries(self, limit: int = 100, before_seq: int | None = None, **asked: Any) -> list[Entry]:
        """Entries of the audit log, newest first; see `AuditLog.entries`."""
        return self.log.entries(limit, before_seq, **asked)

    def verify(self) -> int:
        """Check the audit log and return its length; raises `Tampered` at the first bad entry."""
        return self.log.verify()

    def dispositions(self) -> list[dict[str, Any]]:
        """How often the closed cases of each pattern ended how: pattern, disposition, count."""
        return self.log.rows(
            """
            WITH closed AS (
              SELECT disposition, unnest(string_split(snapshot ->> '$.patterns', ', ')) AS pattern
              FROM case_reviews WHERE status = 'CLOSED'
            )
            SELECT pattern, disposition, count(*) AS count FROM closed
            GROUP BY pattern, disposition ORDER BY pattern, disposition
            """
        )

    def snoozes(self, limit: int = 500) -> list[Snooze]:
        """All snoozes, newest first."""
        query = "SELECT * FROM snoozes ORDER BY created_at DESC, snooze_id LIMIT ?"
        return [Snooze(**row) for row in self.log.rows(query, [limit])]

    def active_snoozes(self, at: datetime) -> list[Snooze]:
        """The snoozes in force at that time."""
        query = "SELECT * FROM snoozes WHERE ended_at IS NULL AND until > ? ORDER BY until"
        return [Snooze(**row) for row in self.log.rows(query, [at])]

    def snooze(
        self,
        person: Person,
        pattern: str,
        entity_kind: str,
        entity: str,
        until: datetime,
        reason: str,
    ) -> Snooze:
        """Silence a pattern for an entity until then."""
        with self.log.change() as change:
            name = f"snz_{secrets.token_hex(6)}"
            snooze = Snooze(
                name, pattern, entity_kind, entity, until, reason, person.name, change.at, None
            )
            change.db.execute(
                "INSERT INTO snoozes VALUES (?, ?, ?, ?, ?, ?, ?, ?, NULL)",
                [name, pattern, entity_kind, entity, until, reason, person.name, change.at],
            )
            detail = {
                "pattern": pattern,
                entity_kind: entity,
                "until": until.isoformat(),
                "reason": reason,
            }
            change.add(person, "snooze", "snooze", name, detail)
        return snooze

    def end_snooze(self, person: Person, snooze_id: str) -> None:
        """Hear of it again. `KeyError` if there is no such snooze, `Refused` if it is over."""
        with self.log.change() as change:
            found = self.log.rows("SELECT * FROM snoozes WHERE snooze_id = ?", [snooze_id])
            snooze = Snooze(**found[0]) if found else None
            if snooze is None:
                raise KeyError(snooze_id)
            if snooze.ended_at is not None or snooze.until <= change.at:
                raise Refused(f"The snooze {snooze_id} is over already.")
            change.db.execute(
                "UPDATE snoozes SET ended_at = ? WHERE snooze_id = ?", [change.at, snooze_id]
            )
            detail = {"pattern": snooze.pattern, snooze.entity_kind: snooze.entity}
            change.add(person, "end_snooze", "snooze", snooze_id, detail)

    def read_smr(self, person: Person, case_id: str) -> dict[str, Any] | None:
        """The kept draft of a report on a case; that it was read is put down, found or not."""
        with self.log.change() as change:
            change.add(person, "read_smr", "smr", case_id, {})
        found = self.log.rows("SELECT * FROM smr_drafts WHERE case_id = ?", [case_id])
        return {**found[0], "fields": json.loads(found[0]["fields"])} if found else None

    def save_smr(self, person: Person, case_id: str, fields: dict[str, Any]) -> datetime:
        """Keep the draft of a report on a case; the entry does not repeat what it says."""
        with self.log.change() as change:
            change.db.execute(
                "INSERT OR REPLACE INTO smr_drafts (case_id, fields, updated_by, updated_at) "
                "VALUES (?, ?, ?, ?)",
                [case_id, json.dumps(fields), person.name, change.at],
            )
            change.add(person, "save_smr", "smr", case_id, {})
            return change.at

    def _act(
        self,
        change: Change,
        person: Person,
        case: Case,
        action: str,
        version: int | None,
        fields: dict[str, Any],
    ) -> Acted:
        case_id = case["case_id"]
        before = self.review(case_id)
        if version is not None and version != before.version:
            raise Conflict(
                f"The case is at version {before.version}, you saw version {version}: somebody "
                "acted on it since. Look again."
            )
        if action == "undo":
            undone = undoable(self.history(case_id), person, change.at)
            after = replace(before, **undone.detail["before"])
            repeated = {k: v for k, v in undone.detail.items() if k in ("instruction", "target")}
            detail = {"undoes": undone.seq, "undone": undone.action, **repeated}
        else:
            if action == "assign":
                self._may_be_given_to(fields["to"])
            critical = case["level"] == "critical"
            after = life.apply(before, person, action, self._four_eyes and critical, **fields)
            detail = {name: value for name, value in fields.items() if value is not None}
        after = replace(after, version=before.version + 1, reviewed_at=change.at)
        change.db.execute(
            f"INSERT OR REPLACE INTO case_reviews ({_REVIEW}, snapshot) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [
                case_id, *_state(after).values(), after.version, change.at,
                json.dumps(dict(case), default=_frozen),
            ],
        )  # fmt: skip
        facts = {name: case[name] for name in ("account_id", "customer_id", "level")}
        states = {"case": facts, "before": _state(before), "after": _state(after)}
        return Acted(after, change.add(person, action, "case", case_id, {**detail, **states}))

    def _may_be_given_to(self, username: str) -> None:
        user = self.staff.user(username)
        if user is None or user.disabled or not Person(username, user.role).may("act"):
            able = [
                u.username
                for u in self.staff.users()
                if not u.disabled and Person(u.username, u.role).may("act")
            ]
            raise Refused(
                f"{username} is nobody who may act on cases; those who may: {', '.join(able)}."
            )


def _state(review: Review) -> dict[str, Any]:
    return {name: getattr(review, name) for name in _STATE}


def _frozen(value: Any) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)


def _thawed(case: dict[str, Any]) -> dict[str, Any]:
    times = {
        name: datetime.fromisoformat(value)
        for name, value in case.items()
        if name.endswith("_at") and value is not None
    }
    return {**case, **times, "exposure": Decimal(case["exposure"])}
