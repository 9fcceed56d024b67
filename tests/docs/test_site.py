"""The documentation as a site, and what its texts name: files, targets, commands and options."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from detector.cli.commands import COMMANDS, load

ROOT = Path(__file__).resolve().parents[2]
PAGES = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md")),
    *sorted((ROOT / "docs").rglob("*.md")),
]
LOADED: dict[str, Any] = {name: load(name) for name in COMMANDS}
each_page = pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(ROOT)))


@each_page
def test_links_lead_somewhere(page: Path) -> None:
    """Files exist, and so do the headings that links name."""
    text = re.sub(r"```.*?```", "", page.read_text("utf-8"), flags=re.S)
    for target, anchor in re.findall(r"\]\(([^)#\s]*)(?:#([^)\s]+))?\)", text):
        if target.startswith(("http://", "https://", "mailto:")):
            continue
        found = (page.parent / target).resolve() if target else page
        assert found.exists(), f"{target} does not exist"
        if anchor and found.suffix == ".md":
            assert anchor in anchors(found), f"{target}#{anchor} does not exist"


def anchors(page: Path) -> set[str]:
    """The headings of a page, as links name them."""
    headings = re.findall(r"^#+ (.+)$", page.read_text("utf-8"), re.M)
    return {re.sub(r"[^\w\- ]", "", h.lower()).replace(" ", "-") for h in headings}


def test_the_site_builds_and_loads_nothing_from_elsewhere(tmp_path: Path) -> None:
    """Strictly: a page that is missing or a link that leads nowhere ends it."""
    built = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--quiet", "--site-dir", str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert built.returncode == 0, built.stderr
    for page in ("index.html", "for_analysts/index.html", "runbook/index.html"):
        html = (tmp_path / page).read_text("utf-8")
        assert "<h1" in html
        loaded = re.findall(
            r'(?:<script[^>]*src|<link[^>]*stylesheet[^>]*href|<img[^>]*src)="([^"]+)', html
        )
        assert loaded and not [url for url in loaded if url.startswith(("http:", "https:", "//"))]


def named_commands(page: Path) -> list[tuple[str, list[str]]]:
    """Each `fraud …` of a page: the command and its options."""
    text = page.read_text("utf-8")
    code = re.findall(r"`([^`\n]+)`", text) + re.findall(r"^ *(\S.*fraud .*)$", text, re.M)
    found = []
    for line in code:
        for asked in re.findall(r"(?:^|[\s/])fraud ([a-z][a-z-]*)([^`|;#]*)", line):
            if asked[0] in COMMANDS:
                found.append((asked[0], re.findall(r"(?<!\S)(--[a-z][a-z-]+)", asked[1])))
    return found


@each_page
def test_commands_have_the_options_that_are_shown(page: Path) -> None:
    """Every `fraud X --y` is one that X takes."""
    for name, options in named_commands(page):
        command = LOADED[name]
        groups = [command, *getattr(command, "commands", {}).values()]
        known = {opt for c in groups for p in c.params for opt in [*p.opts, *p.secondary_opts]}
        assert set(options) <= known | {"--help"}, f"fraud {name} {options}"


def test_commands_are_found() -> None:
    """The test above has something to test."""
    assert sum(len(named_commands(page)) for page in PAGES) > 60


@each_page
def test_targets_of_make_exist(page: Path) -> None:
    """Every `make x` of a page is a target."""
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.M))
    text = page.read_text("utf-8")
    code = re.findall(r"`(make [^`\n]+)`", text) + re.findall(r"^make [^#\n]+", text, re.M)
    for line in code:
        asked = re.match(r"make ([a-z -]+)", line)
        assert asked and set(asked[1].split()) <= targets, line
