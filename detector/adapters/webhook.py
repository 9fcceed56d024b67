"""Webhooks: other systems are told of instructions and decisions."""

import hashlib
import hmac
import json
import logging
import time
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC

import httpx

from detector.adapters.audit_log import AuditLog
from detector.adapters.follower import Follower
from detector.cases.audit import Entry

TOLD = {"instruct", "escalate", "close", "approve", "reject", "reopen", "undo"}
"""The actions on cases that receivers hear of; an undo names what it takes back."""

SIGNATURE = "X-Fraud-Signature"
TIMEOUT_S = 5.0

# It writes every address it asks to the log, and those of webhooks often carry a token.
logging.getLogger("httpx").setLevel(logging.WARNING)


class Webhook:
    """Posts entries of the audit log to one address, at least once and in order.

    The body is the entry as JSON; `seq` tells a repeated one. With a secret, the header
    `X-Fraud-Signature: t=<seconds>,v1=<hex>` carries HMAC-SHA256 over `<seconds>.<body>`. Any 2xx
    answer takes the entry; everything else, redirects included, is asked again.
    """

    def __init__(self, url: str, secret: str = "", clock: Callable[[], float] = time.time) -> None:
        self._url = url
        self._secret = secret.encode()
        self._clock = clock
        self._client = httpx.Client(timeout=TIMEOUT_S, trust_env=False)

    @property
    def name(self) -> str:
        """Names the receiver without showing its address, which may hold a secret."""
        return f"webhook {hashlib.sha256(self._url.encode()).hexdigest()[:16]}"

    def follow(self, log: AuditLog) -> Follower:
        """A follower, not yet started, that tells the receiver what happens from now on."""
        return Follower(log, self.name, self.post, is_told)

    def post(self, entry: Entry) -> None:
        """Post one entry; raises when the receiver did not take it."""
        content = {**asdict(entry), "at": entry.at.astimezone(UTC).isoformat()}
        body = json.dumps(content, separators=(",", ":")).encode()
        headers = {"Content-Type": "application/json"}
        if self._secret:
            headers[SIGNATURE] = signature(self._secret, int(self._clock()), body)
        try:
            answer = self._client.post(self._url, content=body, headers=headers)
        except httpx.HTTPError as error:
            # The text of the error may repeat the address.
            raise ConnectionError(type(error).__name__) from None
        if not answer.is_success:
            raise ConnectionError(f"it answered {answer.status_code}")


def is_told(entry: Entry) -> bool:
    """Whether receivers hear of an entry; never of reports, sign-ins or what is only written."""
    action = entry.detail["undone"] if entry.action == "undo" else entry.action
    return entry.subject_kind == "case" and action in TOLD


def signature(secret: bytes, seconds: int, body: bytes) -> str:
    """What the receiver computes too, to know that the body is ours and not an old one."""
    mac = hmac.new(secret, f"{seconds}.".encode() + body, hashlib.sha256)
    return f"t={seconds},v1={mac.hexdigest()}"
