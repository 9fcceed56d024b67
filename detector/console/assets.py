"""Static files: the console's own, and Plotly's script out of its wheel; nothing from elsewhere."""

import gzip
import hashlib
import mimetypes
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from fastapi import APIRouter, Request, Response

from detector.console import worldmap
from detector.console.problems import ProblemError

_FOREVER = "public, max-age=31536000, immutable"
_COMPRESSIBLE = {"text/css", "text/javascript", "image/svg+xml"}
_TYPES = {"js": "text/javascript", "css": "text/css", "svg": "image/svg+xml"}

router = APIRouter(include_in_schema=False)


@dataclass(frozen=True, slots=True)
class Asset:
    """One file as it is sent: its bytes, and the same bytes compressed where that helps."""

    content: bytes
    media_type: str
    compressed: bytes | None


@cache
def asset(name: str) -> Asset | None:
    """The static file of that name, read and compressed once; None where there is none."""
    content = _contents().get(name)
    if content is None:
        return None
    suffix = name.rpartition(".")[2]
    media_type = _TYPES.get(suffix) or mimetypes.guess_type(name)[0] or "application/octet-stream"
    compress = media_type in _COMPRESSIBLE
    return Asset(content, media_type, gzip.compress(content, 6, mtime=0) if compress else None)


@cache
def version() -> str:
    """Changes with any byte of any static file, so that browsers may keep them for ever."""
    digest = hashlib.sha256()
    for name, content in sorted(_contents().items()):
        digest.update(name.encode() + b"\0" + content)
    return digest.hexdigest()[:12]


def names() -> list[str]:
    """The names of all static files."""
    return sorted(_contents())


def url(name: str) -> str:
    """Where browsers find a static file; scripts of one version import each other by name."""
    if name not in _contents():
        raise KeyError(f"no static file {name!r}; there are {', '.join(names())}")
    return f"/static/{version()}/{name}"


@router.get("/static/{wanted}/{name}")
def serve(request: Request, wanted: str, name: str) -> Response:
    """Send a static file; one asked for by an older version is not kept by the browser."""
    found = asset(name)
    if found is None:
        raise ProblemError(404, f"There is no static file {name!r}.")
    headers = {
        "Cache-Control": _FOREVER if wanted == version() else "no-cache",
        "Vary": "Accept-Encoding",
    }
    body = found.content
    if found.compressed and "gzip" in request.headers.get("accept-encoding", ""):
        body = found.compressed
        headers["Content-Encoding"] = "gzip"
    return Response(body, media_type=found.media_type, headers=headers)


@cache
def _contents() -> dict[str, bytes]:
    own = files("detector.console") / "static"
    contents = {file.name: file.read_bytes() for file in own.iterdir() if file.is_file()}
    contents["plotly.min.js"] = (
        files("plotly").joinpath("package_data", "plotly.min.js").read_bytes()
    )
    contents["land.svg"] = worldmap.land().encode()
    return contents
