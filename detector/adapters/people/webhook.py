"""Webhooks: other systems receive instructions and decisions."""

import hashlib
import hmac
import json
import logging
import time
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC

import httpx

from detector.adapters.people.audit_log import AuditLog
from detector.adapters.people.follower import Follower
from detector.cases.actions import ACTIONS
from detector.cases.audit import AuditEntry

SIGNATURE = "X-Fraud-Signature"
TIMEOUT_S = 5.0

# httpx logs every URL it requests, and a webhook's URL often contains a token.
logging.getLogger("httpx").setLevel(logging.WARNING)


class Webhook:
    """Posts entries of the audit log to one address, at least once and in order.

    The body is the entry as JSON; a repeated one has the same `seq`. With a secret, the header
    `X-Fraud-Signature: t=<seconds>,v1=<hex>` carries HMAC-SHA256 over `<seconds>.<body>`. Any 2xx
    answer accepts the entry; anything else, redirects included, is retried.
    """

    def __init__(self, url: str, secret: str = "", clock: Callable[[], float] = time.time) -> None:
        self._url = url
        self._secret = secret.encode()
        self._clock = clock
        self._client = httpx.Client(timeout=TIMEOUT_S, trust_env=False)

    @property
    def name(self) -> str:
        """A name for the receiver without its URL, which may contain a secret."""
        return f"webhook {hashlib.sha256(self._url.encode()).hexdigest()[:16]}"

    def follow(self, log: AuditLog) -> Follower:
        """A follower, not yet started, that posts the entries from now on."""
        return Follower(log, self.name, self.post, is_posted)

    def post(self, entry: AuditEntry) -> None:
        """Post one entry; raises when the receiver does not accept it."""
        content = {**asdict(entry), "at": entry.at.astimezone(UTC).isoformat()}
        body = json.dumps(content, separators=(",", ":")).encode()
        headers = {"Content-Type": "application/json"}
        if self._secret:
            headers[SIGNATURE] = signature(self._secret, int(self._clock()), body)
        try:
            answer = self._client.post(self._url, content=body, headers=headers)
        except httpx.HTTPError as error:
            # The error's text may contain the URL.
            raise ConnectionError(type(error).__name__) from None
        if not answer.is_success:
            raise ConnectionError(f"it answered {answer.status_code}")


def is_posted(entry: AuditEntry) -> bool:
    """Whether webhooks are sent an entry: actions on cases for which `cases.actions` says so.

    An undo is sent if the action it undoes was.
    """
    action = ACTIONS.get(entry.detail["undone"] if entry.action == "undo" else entry.action)
    return entry.subject_kind == "case" and action is not None and action.webhook


def signature(secret: bytes, seconds: int, body: bytes) -> str:
    """The header's value; the receiver recomputes it to check the body's origin and age."""
    mac = hmac.new(secret, f"{seconds}.".encode() + body, hashlib.sha256)
    return f"t={seconds},v1={mac.hexdigest()}"
