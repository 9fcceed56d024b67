"""What the console's pages weigh, how soon they are painted, and what a live overview costs.

    python -m benchmarks.pages

Over the demo bank, in a real Chromium with an empty cache; sizes as transferred.
"""

import json
import platform
import statistics
import sys
import time

from playwright.sync_api import Browser, CDPSession, sync_playwright

from scripts.screenshots import PAGES, demo, executable, go

WATCHED_S = 30


def main() -> None:
    """Print the figures as JSON."""
    with demo() as url, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable(), args=["--no-sandbox"])
        print("waiting 20 s for cases", file=sys.stderr)
        time.sleep(20)
        pages = {name: _measure(browser, url, place) for name, place in PAGES.items()}
        found = {
            "machine": f"{platform.machine()}, Python {platform.python_version()}",
            "pages": pages,
            "live_overview_share_of_a_core": _cost(browser, url),
        }
        browser.close()
    print(json.dumps(found, indent=1))


def _measure(browser: Browser, url: str, place: str) -> dict[str, float]:
    """Kilobytes, requests and milliseconds to the first paint of a page, medians of three."""
    origin, runs = url.split("/?")[0], []
    for _ in range(3):
        context = browser.new_context(viewport={"width": 1366, "height": 768})
        page = context.new_page()
        page.goto(url)
        go(page, origin, place)
        address = page.url
        session = context.new_cdp_session(page)
        session.send("Network.enable")
        session.send("Network.clearBrowserCache")
        session.send("Network.setCacheDisabled", {"cacheDisabled": True})
        sizes: list[float] = []
        session.on(
            "Network.loadingFinished",
            lambda event, sizes=sizes: sizes.append(event["encodedDataLength"]),
        )
        page.goto(address)
        page.wait_for_timeout(1_000)
        paint = page.evaluate(
            "performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? NaN"
        )
        runs.append((sum(sizes) / 1000, len(sizes), paint))
        context.close()
    kilobytes, requests, paint = (statistics.median(column) for column in zip(*runs, strict=True))
    return {"kB": round(kilobytes, 1), "requests": requests, "first_paint_ms": round(paint)}


def _cost(browser: Browser, url: str) -> float:
    """The share of a core that the browser's page needs to show the live overview."""
    page = browser.new_context(viewport={"width": 1366, "height": 768}).new_page()
    page.goto(url)
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable")
    page.wait_for_timeout(3_000)
    before, began = _busy(session), time.monotonic()
    page.wait_for_timeout(WATCHED_S * 1000)
    return round((_busy(session) - before) / (time.monotonic() - began), 3)


def _busy(session: CDPSession) -> float:
    metrics = session.send("Performance.getMetrics")["metrics"]
    return next(float(m["value"]) for m in metrics if m["name"] == "TaskDuration")


if __name__ == "__main__":
    main()
