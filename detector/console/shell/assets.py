"""Static files: scripts, styles and pictures of all rooms."""

import gzip
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable

from fastapi import APIRouter, Request, Response

from detector.console.http.problems import ProblemError
from detector.console.shell import worldmap

_FOREVER = "public, max-age=31536000, immutable"
_TYPES = {"js": "text/javascript", "css": "text/css", "svg": "image/svg+xml"}

router = APIRouter(include_in_schema=False)


@dataclass(frozen=True, slots=True)
class Asset:
    """A file as sent: plain and compressed."""

    content: bytes
    media_type: str
    compressed: bytes


@cache
def asset(name: str) -> Asset | None:
    """The static file of that name, read and compressed once; None for an unknown name."""
    content = _contents().get(name)
    if content is None:
        return None
    suffix = name.rpartition(".")[2]
    media_type = _TYPES[suffix]
    return Asset(content, media_type, gzip.compress(content, 6, mtime=0))


@cache
def version() -> str:
    """A digest of all static files, so that browsers may cache them indefinitely."""
    digest = hashlib.sha256()
    for name, content in sorted(_contents().items()):
        digest.update(name.encode() + b"\0" + content)
    return digest.hexdigest()[:12]


def names() -> list[str]:
    """The names of all static files."""
    return sorted(_contents())


def url(name: str) -> str:
    """The URL of a static file; scripts of one version import each other by relative path."""
    if name not in _contents():
        raise KeyError(f"no static file {name!r}; there are {', '.join(names())}")
    return f"/static/{version()}/{name}"


@router.get("/static/{wanted}/{name:path}")
def serve(request: Request, wanted: str, name: str) -> Response:
    """Send a static file; browsers cache the current version indefinitely."""
    found = asset(name)
    if found is None:
        raise ProblemError(404, f"There is no static file {name!r}.")
    headers = {
        "Cache-Control": _FOREVER if wanted == version() else "no-cache",
        "Vary": "Accept-Encoding",
    }
    body = found.content
    if "gzip" in request.headers.get("accept-encoding", ""):
        body = found.compressed
        headers["Content-Encoding"] = "gzip"
    return Response(body, media_type=found.media_type, headers=headers)


@cache
def _contents() -> dict[str, bytes]:
    contents = dict(_static_files(files("detector.console")))
    contents["shell/land.svg"] = worldmap.land().encode()
    return contents


def _static_files(folder: Traversable, prefix: str = "") -> Iterator[tuple[str, bytes]]:
    """Every script, style and picture in the rooms of the console, as `room/name`."""
    for entry in folder.iterdir():
        if entry.is_dir():
            yield from _static_files(entry, f"{prefix}{entry.name}/")
        elif entry.name.rpartition(".")[2] in _TYPES:
            yield f"{prefix}{entry.name}", entry.read_bytes()
