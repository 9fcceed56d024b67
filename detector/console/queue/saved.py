"""Saving views of the queue: filters, order and columns under a name."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from detector.adapters.people.saved_views import SavedView
from detector.console.access.permissions import Reads
from detector.console.context import InContext
from detector.console.http.problems import ProblemError, problems, refusals
from detector.console.queries.filters import QueueFilters
from detector.console.queue.view import href

router = APIRouter(tags=["cases"])
ViewName = Annotated[
    str, StringConstraints(min_length=1, max_length=40, pattern=r"^[^\x00-\x1f/]+$")
]


class NewView(BaseModel):
    """A view to save."""

    model_config = ConfigDict(extra="forbid")

    name: ViewName = Field(examples=["Large takeovers"])
    filters: QueueFilters
    shared: bool = Field(False, description="For everyone; needs the permission to act.")


class SavedViewAnswer(BaseModel):
    """A saved view; `href` opens it."""

    name: str
    owner: str
    shared: bool
    href: str
    saved_at: datetime

    @classmethod
    def of(cls, view: SavedView) -> "SavedViewAnswer":
        """The view as stored."""
        return cls(
            name=view.name,
            owner=view.owner,
            shared=view.shared,
            href=view.query,
            saved_at=view.saved_at,
        )


class SavedViewList(BaseModel):
    """One's own views, then those that others share."""

    views: list[SavedViewAnswer]


@router.get("/v1/views", operation_id="list_views", responses=problems(401, 403))
def list_views(context: InContext, principal: Reads) -> SavedViewList:
    """The saved views that the principal sees."""
    found = context.people.saved_views.of(principal.name)
    return SavedViewList(views=[SavedViewAnswer.of(view) for view in found])


@router.post(
    "/v1/views",
    operation_id="save_view",
    status_code=201,
    responses=problems(400, 401, 403, 409, 413, 422),
)
def save_view(context: InContext, principal: Reads, body: NewView) -> SavedViewAnswer:
    """Save a view, replacing an own one of that name."""
    if body.shared and not principal.may("act"):
        raise ProblemError(403, f"{principal.name} may save views, but not share them.")
    with refusals():
        view = context.people.saved_views.save(
            principal, body.name, href(body.filters), body.shared
        )
    return SavedViewAnswer.of(view)


@router.delete(
    "/v1/views/{owner}/{name}",
    operation_id="delete_view",
    status_code=204,
    responses=problems(401, 403, 404, 422),
)
def delete_view(context: InContext, principal: Reads, owner: str, name: ViewName) -> None:
    """Delete an own view, or as a lead a shared one."""
    try:
        with refusals():
            context.people.saved_views.delete(principal, owner, name)
    except KeyError as error:
        raise ProblemError(404, f"There is no view {name} of {owner}.") from error
