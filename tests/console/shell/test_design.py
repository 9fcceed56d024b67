"""The design system: readable in both themes, whole, and at home on this machine."""

import gzip
import re
from itertools import product
from pathlib import Path

import pytest

import detector.console
from detector.adapters.duckdb.store import DuckDBStore
from detector.console.shell import assets
from detector.console.shell.rendering import PATTERN_COLOURS
from tests.console.conftest import browsing

_CONSOLE = Path(detector.console.__file__).parent
_OWN = {
    file.relative_to(_CONSOLE).as_posix(): file.read_text("utf-8")
    for file in sorted(_CONSOLE.glob("*/*.*"))
    if file.suffix in (".html", ".css", ".js", ".svg")
}
_TOKENS = dict(
    re.findall(r"--([a-z0-9-]+): light-dark\((#[0-9a-f]{6}, #[0-9a-f]{6})\)", _OWN["shell/app.css"])
)
_SURFACES = ("bg", "surface", "surface-2")
_WORDS = [
    *product(("text", "text-2", "text-3", "accent"), _SURFACES),
    *product(("critical", "high", "medium", "low", "good"), ("surface", "surface-2")),
    *((name, f"{name}-tint") for name in ("critical", "high", "medium", "low", "good", "accent")),
    ("text", "accent-tint"),
    ("text-2", "surface-3"),
    ("on-accent", "accent-fill"),
    ("surface", "text"),  # tooltips
]
_SHAPES = [
    *((f"{name}-strong", "surface") for name in ("critical", "high", "medium", "low", "good")),
    *((f"{name}-strong", f"{name}-tint") for name in ("critical", "high", "low", "good")),
    *((f"pattern-{number}", "surface") for number in range(PATTERN_COLOURS + 1)),
    ("focus", "bg"),
    ("border-strong", "surface"),
]


def _luminance(colour: str) -> float:
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _contrast(first: str, second: str, theme: int) -> float:
    pair = [_luminance(_TOKENS[name].split(", ")[theme]) for name in (first, second)]
    return (max(pair) + 0.05) / (min(pair) + 0.05)


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize(("ink", "paper"), _WORDS)
def test_words_can_be_read(ink: str, paper: str, theme: int) -> None:
    """Every ink has a contrast of at least 4.5 to the papers that it is used on (WCAG AA)."""
    assert _contrast(ink, paper, theme) >= 4.5


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize(("shape", "paper"), _SHAPES)
def test_shapes_are_distinguished(shape: str, paper: str, theme: int) -> None:
    """Shapes, bars and the focus ring have a contrast of at least 3 to what is behind them."""
    assert _contrast(shape, paper, theme) >= 3


@pytest.mark.parametrize("name", _OWN)
def test_nothing_comes_from_elsewhere(name: str) -> None:
    """No template, style or script names an address outside, but for the names of formats."""
    text = _OWN[name].replace("http://www.w3.org/2000/svg", "")
    assert not re.findall(r"""(?:https?:)?//[a-z0-9.-]+\.[a-z]{2,}|@import|url\(\s*['"]?h""", text)


@pytest.mark.parametrize("name", [name for name in _OWN if name.endswith(".html")])
def test_templates_obey_the_content_security_policy(name: str) -> None:
    """Scripts are in files: none within a page, none in an attribute."""
    text = _OWN[name]
    scripts = re.findall(r"<script\b([^>]*)>", text)
    assert all('src="{{ static(' in s or 'type="application/json"' in s for s in scripts)
    assert not re.findall(r"<[a-z][^>]*\son[a-z]+\s*=|javascript:", text)


@pytest.mark.parametrize("name", [name for name in _OWN if name.endswith((".html", ".css"))])
def test_every_variable_of_style_exists(name: str) -> None:
    """A colour or size that is used is a token of app.css, or set where it is used."""
    known = set(re.findall(r"--([a-z0-9-]+)\s*:", "".join(_OWN.values())))
    assert set(re.findall(r"var\(--([a-z0-9-]+)", _OWN[name])) <= known


def test_every_pattern_has_a_colour() -> None:
    """As many classes and tokens as the pages deal out."""
    for number in range(PATTERN_COLOURS + 1):
        assert f".p-{number} {{ --pattern: var(--pattern-{number}); }}" in _OWN["shell/app.css"]


def test_every_icon_that_is_shown_exists() -> None:
    """Templates name symbols of the sprite only."""
    drawn = set(re.findall(r'<symbol id="([a-z-]+)"', _OWN["shell/icons.svg"]))
    html = "".join(text for name, text in _OWN.items() if name.endswith(".html"))
    named = set(re.findall(r"""(?:icon|empty)\("([a-z-]+)""", html))
    assert named and named <= drawn
    assert {f"level-{name}" for name in ("critical", "high", "medium", "low")} <= drawn


@pytest.mark.parametrize("name", assets.names())
def test_every_static_file_is_served(name: str, empty_store: DuckDBStore) -> None:
    """It comes with its type, may be kept for ever, and compressed says the same."""
    client = browsing(empty_store)
    plain = client.get(assets.url(name), headers={"Accept-Encoding": "identity"})
    assert plain.status_code == 200
    kinds = {"js": "text/javascript", "css": "text/css", "svg": "image/svg+xml"}
    assert plain.headers["content-type"].startswith(kinds[name.rpartition(".")[2]])
    assert "immutable" in plain.headers["cache-control"]
    found = assets.asset(name)
    assert found is not None
    assert gzip.decompress(found.compressed) == plain.content == found.content


def test_browsers_that_can_get_static_files_compressed(empty_store: DuckDBStore) -> None:
    """The largest script travels at less than half its size."""
    client = browsing(empty_store)
    answer = client.get(assets.url("queue/page.js"), headers={"Accept-Encoding": "gzip"})
    assert answer.headers["content-encoding"] == "gzip"
    assert int(answer.headers["content-length"]) * 2 < len(answer.content)


def test_a_file_asked_for_by_an_old_address_is_not_kept(empty_store: DuckDBStore) -> None:
    """After an update, what an old page asks for is served, but not kept as the old one."""
    client = browsing(empty_store)
    assert client.get("/static/0ld/shell/app.css").headers["cache-control"] == "no-cache"
    assert client.get("/static/0ld/..%2Fapp.py").status_code == 404
