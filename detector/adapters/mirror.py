"""Copies reviews to where the views of a cluster read them."""

from typing import Protocol

from detector.adapters.desk import Desk
from detector.adapters.follower import Follower
from detector.cases.audit import Entry
from detector.cases.review import Review


class ReviewMirror(Protocol):
    """A table of reviews elsewhere, one row per case."""

    def put(self, review: Review) -> None:
        """Insert or replace the review of a case; raises when it cannot, and is asked again."""


def mirrored(desk: Desk, mirror: ReviewMirror, name: str = "mirror") -> Follower:
    """A follower, not yet started, that brings the mirror up to date and keeps it so."""

    def put(entry: Entry) -> None:
        mirror.put(desk.review(entry.subject))

    return Follower(desk.log, name, put, lambda e: e.subject_kind == "case", from_start=True)
