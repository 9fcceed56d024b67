"""Schemathesis over the OpenAPI document: no server errors, no undocumented answers."""

import os
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from fastapi.routing import APIRoute
from hypothesis import HealthCheck, given, settings
from schemathesis import Case
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from detector.adapters.people.users import NO_PASSWORD
from detector.console.access.sessions import COOKIE
from detector.console.app import ROUTERS, build_app
from detector.console.context import assemble
from detector.console.server import address, listen, serving
from detector.console.settings import ConsoleSettings
from tests.build import records
from tests.console.bank import eventful_day
from tests.console.harness import PEOPLE, ROOT
from tests.pipeline.test_scoring import running

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
# `SCHEMATHESIS_EXAMPLES=1000 pytest tests/console/test_contract.py` looks harder.
FEW = 15
EXAMPLES = int(os.environ.get("SCHEMATHESIS_EXAMPLES", FEW))
# It never ends, and has tests of its own.
LEFT_OUT = ["stream"]


class Front:
    """A console beside a running pipeline on an eventful day, and how to come in."""

    address: str

    def __init__(self, pipeline: Any) -> None:
        self.people = pipeline.store.people()
        chosen, rules = ConsoleSettings(_env_file=None), pipeline.store.rules
        context = assemble(rules, chosen, pipeline.store, self.people, b"key", pipeline=pipeline)
        self.sessions, self.app = context.sessions, build_app(context)
        for name, role in PEOPLE.items():
            self.people.users.add(ROOT, name, role, NO_PASSWORD, False)
        _, self.key = self.people.keys.add(ROOT, "payments")

    def headers(self, path: str) -> dict[str, str]:
        """The headers of a user who may do this; users and keys may have been changed since."""
        if path in ("/v1/events", "/v1/score"):
            return {"Authorization": f"Bearer {self.key}"}
        name = "root" if path.startswith(("/v1/users", "/v1/keys")) else "sam"
        user = self.people.users.get(name)
        session = self.sessions._session(user, "nonce")
        return {"Cookie": f"{COOKIE}={session.token}", "X-CSRF-Token": session.csrf}


@pytest.fixture(scope="module")
def front(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    """One console for all operations, which therefore meet what the others left behind."""
    with running(tmp_path_factory.mktemp("contract") / "fraud.duckdb") as pipeline:
        _, committed = pipeline.submit(records(eventful_day()))
        committed.result()
        front = Front(pipeline)
        listener = listen("127.0.0.1", 0)
        front.address = address(listener)
        with serving(front.app, listener):
            yield front


@pytest.fixture(scope="module")
def document(front: Front) -> Any:
    """What the console says that it answers."""
    return schemathesis.openapi.from_dict(front.app.openapi())


OPERATIONS = [
    route.operation_id
    for router in ROUTERS
    for route in router.routes
    if isinstance(route, APIRoute) and route.include_in_schema
]


@pytest.mark.parametrize("operation_id", [name for name in OPERATIONS if name not in LEFT_OUT])
def test_every_answer_is_documented(front: Front, document: Any, operation_id: str) -> None:
    """Whatever is sent: a status, a media type and a body that the document names."""

    @given(case=document.find_operation_by_id(operation_id).as_strategy())
    @settings(
        max_examples=EXAMPLES,
        derandomize=EXAMPLES == FEW,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    def answered(case: Case[Any]) -> None:
        headers = front.headers(case.operation.path)
        case.call_and_validate(front.address, headers=headers, checks=CHECKS)

    answered()
