"""Carries out docs/tutorial.md in a copy of this checkout and times each step.

    python -m benchmarks.tutorial

First its commands, then steps 7 and 8 in a real Chromium, as fast as the pages allow: a person also
reads. Prints a line of JSON for each, and the seconds of all.
"""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from playwright.sync_api import expect, sync_playwright

from scripts.screenshots import demo, executable

PAGE = Path("docs/tutorial.md")
LEFT_OUT = shutil.ignore_patterns(
    ".git",
    ".venv",
    "venv",
    "node_modules",
    "__pycache__",
    "target",
    "logs",
    "data",
    "build",
    ".*_cache",
)


def commands(page: str) -> list[str]:
    """The lines of the page's bash blocks."""
    blocks = re.findall(r"^```bash\n(.*?)^```", page, re.DOTALL | re.MULTILINE)
    return [line for block in blocks for line in block.splitlines() if line]


def steps_in_browser(url: str) -> Iterator[str]:
    """The steps on the page Patterns; each is done when it is given."""
    origin = url.split("/?")[0]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable(), args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1366, "height": 768})
        page.goto(url)
        yield "open the console"
        page.goto(f"{origin}/patterns")
        card = page.locator("#gift_cards")
        expect(card).to_contain_text("In shadow")
        yield "see the pattern in shadow"
        page.locator("[data-change=gift_cards]").click()
        page.locator("#rule-mode").select_option("live")
        expect(page.locator("#rule-note")).to_contain_text("cases would appear", timeout=30_000)
        yield "see what it would do live"
        page.locator("#rule-reason").fill("Three gift cards in a row.")
        page.locator("#propose").click()
        expect(page.locator("#rule-note")).to_contain_text("is proposed", timeout=30_000)
        yield "propose it"
        page.keyboard.press("Escape")
        page.get_by_role("button", name="Continue as colleague").click()
        page.goto(f"{origin}/patterns")
        page.locator("[data-change=gift_cards]").click()
        page.get_by_role("button", name="Approve").click()
        expect(card).not_to_contain_text("In shadow")
        yield "have it approved by a colleague"
        browser.close()


def main() -> None:
    """Run them all; the first that fails ends it."""
    total = 0.0
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "checkout"
        shutil.copytree(Path.cwd(), copy, ignore=LEFT_OUT)
        # The copy, not the installed checkout, is what has the new pattern.
        environment = {**os.environ, "PYTHONPATH": str(copy)}
        for command in commands(PAGE.read_text("utf-8")):
            program, *arguments = shlex.split(command)
            assert program == "fraud", command
            began = time.monotonic()
            done = subprocess.run(
                [sys.executable, "-m", "detector.cli", *arguments],
                cwd=copy, env=environment, capture_output=True, text=True,
            )  # fmt: skip
            seconds = round(time.monotonic() - began, 1)
            total += seconds
            if done.returncode:
                raise SystemExit(f"{command}\n{done.stdout}{done.stderr}")
            print(json.dumps({"seconds": seconds, "command": command}))
        began = time.monotonic()
        with demo(copy) as url:
            for step in steps_in_browser(url):
                seconds, began = round(time.monotonic() - began, 1), time.monotonic()
                total += seconds
                print(json.dumps({"seconds": seconds, "step": step}))
    print(json.dumps({"seconds": round(total, 1), "step": "all"}))


if __name__ == "__main__":
    main()
