"""Copies reviews to the cluster, whose views read them."""

from typing import Protocol

from detector.adapters.people.follower import Follower
from detector.adapters.people.store import PeopleStore
from detector.cases.audit import AuditEntry
from detector.cases.review import Review


class ReviewMirror(Protocol):
    """A table of reviews elsewhere, one row per case."""

    def put(self, review: Review) -> None:
        """Insert or replace the review of a case; raises on failure, and is called again."""


def mirrored(people: PeopleStore, mirror: ReviewMirror, name: str = "mirror") -> Follower:
    """A follower, not yet started, that keeps the mirror up to date."""

    def put(entry: AuditEntry) -> None:
        mirror.put(people.reviews.get(entry.subject))

    return Follower(people.audit, name, put, lambda e: e.subject_kind == "case", from_start=True)
