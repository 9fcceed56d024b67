"""Pictures of the console for the documentation: `make screenshots`.

Starts the demo bank with a fixed seed in a scratch folder and takes each page in a real Chromium,
light and dark. `--widths 390 1366 1920 --out DIR` is for looking at layouts.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

ROOT = Path(__file__).resolve().parents[1]
HEIGHTS = {390: 844, 1366: 768, 1440: 900, 1920: 1080}
WARM_UP_S = 25
CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
PAGES = {
    "overview": "/",
    "queue": "/cases",
    "case": "first case",
    "account": "first account",
    "signals": "/signals",
    "patterns": "/patterns",
    "team": "/team",
    "closed": "/cases/closed",
    "audit": "/audit",
}
SHOWN = ("overview", "queue", "case")
"""What the documentation contains."""


@contextmanager
def demo(checkout: Path = ROOT) -> Iterator[str]:
    """Run the demo of a checkout and give the URL that signs in."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "detector.cli", "run", "--demo", "--seed", "11"]
        command += ["--port", "0", "--store", f"{folder}/demo.duckdb", "--json"]
        process = subprocess.Popen(
            command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True, cwd=checkout,
            env={**os.environ, "PYTHONPATH": str(checkout)},
        )  # fmt: skip
        assert process.stderr is not None
        try:
            for line in process.stderr:
                if found := re.search(r"Console: (\S+)", line):
                    yield found[1]
                    break
            else:
                raise SystemExit("The demo did not start.")
        finally:
            process.terminate()
            process.wait(30)


def go(page: Page, origin: str, place: str) -> None:
    """Open a page; the case is the first of the queue, the account that of its first link."""
    if place.startswith("/"):
        page.goto(origin + place)
    else:
        page.goto(f"{origin}/cases")
        kind = "cases" if place == "first case" else "accounts"
        case_id = page.locator("[data-case]").first.get_attribute("data-case")
        page.goto(f"{origin}/cases/{case_id}")
        if kind == "accounts":
            href = page.locator('a[href^="/accounts/"]').first.get_attribute("href")
            page.goto(f"{origin}{href}")
    page.wait_for_load_state("networkidle") if place != "/" else page.wait_for_timeout(2_000)


def executable() -> str:
    """The path of Chromium."""
    found = next(filter(None, map(shutil.which, CHROMIUM)), None)
    if found is None:
        raise SystemExit("Chromium is needed: apt-get install chromium")
    return found


def main() -> None:
    """Take the pictures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "images")
    parser.add_argument("--widths", type=int, nargs="*", default=[1440])
    parser.add_argument("--pages", nargs="*", default=list(SHOWN), choices=list(PAGES))
    parser.add_argument("--zoom", type=float, default=1.0, help="as a browser's zoom")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    with demo() as url, sync_playwright() as playwright:
        origin = url.split("/?")[0]
        print(f"waiting {WARM_UP_S} s for cases", file=sys.stderr)
        time.sleep(WARM_UP_S)
        browser = playwright.chromium.launch(executable_path=executable(), args=["--no-sandbox"])
        for width in options.widths:
            for scheme in ("light", "dark"):
                zoom = options.zoom
                context = browser.new_context(
                    viewport={
                        "width": int(width / zoom),
                        "height": int(HEIGHTS.get(width, 900) / zoom),
                    },
                    color_scheme=scheme,
                    device_scale_factor=zoom,
                )
                page = context.new_page()
                page.goto(url)
                for name in options.pages:
                    go(page, origin, PAGES[name])
                    suffix = "" if len(options.widths) == 1 else f"-{width}"
                    target = options.out / f"{name}{suffix}-{scheme}.png"
                    page.screenshot(path=target)
                    print(target, file=sys.stderr)
                context.close()
        browser.close()


if __name__ == "__main__":
    main()
