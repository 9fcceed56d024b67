"""Build the wheel, install it into a fresh environment elsewhere, and use it from an empty folder.

A checkout hides files that the wheel lacks: rules, models, page templates, scripts, styles. Exits
with the first command that fails. Needs only Python and access to PyPI.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
import venv
from pathlib import Path
from urllib.error import URLError
from urllib.parse import urljoin

ROOT = Path(__file__).resolve().parents[1]
ADDRESS = re.compile(r"http://127\.0\.0\.1:\d+(/\?demo=\w+)?")
ASSET = re.compile(r'(?:href|src)="(/static/[^"]+)"')


def main() -> None:
    """Run every step in a temporary folder, which is removed afterwards."""
    with tempfile.TemporaryDirectory(prefix="wheel-") as name:
        folder = Path(name)
        venv.create(folder / "venv", with_pip=True)
        python = folder / "venv/bin/python"
        wheel = build(python, folder)
        pip(python, "install", str(wheel))
        empty = folder / "empty"
        empty.mkdir()
        fraud = str(folder / "venv/bin/fraud")
        check_run(fraud, empty)
        check_console(fraud, empty)
        check_parity(fraud, empty)


def build(python: Path, folder: Path) -> Path:
    """The wheel of the working tree, built from a copy: setuptools would reuse an old build/."""
    copy = folder / "source"
    shutil.copytree(ROOT, copy, ignore=shutil.ignore_patterns(".*", "build", "target", "data"))
    pip(python, "wheel", "--no-deps", "--wheel-dir", str(folder), str(copy))
    [wheel] = folder.glob("*.whl")
    return wheel


def pip(python: Path, *words: str) -> None:
    """Run pip in the fresh environment."""
    say(f"pip {words[0]} {Path(words[-1]).name}")
    quiet = ["--quiet", "--disable-pip-version-check"]
    subprocess.run([str(python), "-m", "pip", *words, *quiet], check=True)


def check_run(fraud: str, folder: Path) -> None:
    """The synthetic bank runs and is detected on."""
    found = json.loads(call(folder, fraud, "run", "--seconds", "10", "--no-console", "--json"))
    assert found["events"] > 500 and found["dead_letters"] == 0, found


def check_parity(fraud: str, folder: Path) -> None:
    """Both engines agree on generated events, some of them fraud."""
    call(folder, fraud, "generate", "--out", "events", "--events", "5000", "--fraud-rate", "0.1")
    found = json.loads(call(folder, fraud, "parity", "events", "--json"))
    say(f"parity: {json.dumps(found)[:200]}")


def check_console(fraud: str, folder: Path) -> None:
    """A page of the console answers, and so does every file that it names."""
    say("fraud run --demo")
    log = folder / "console.log"
    with log.open("w") as out:
        command = [fraud, "run", "--demo", "--port", "0", "--seconds", "60"]
        running = subprocess.Popen(
            command, cwd=folder, env=environment(), stdout=out, stderr=subprocess.STDOUT
        )
        try:
            address = wait_for_address(log)
            page = fetch(address)
            assets = sorted(set(ASSET.findall(page)))
            assert "<h1" in page and len(assets) > 2, page[:400]
            for asset in assets:
                assert fetch(urljoin(address, asset)), asset
            say(f"a page and {len(assets)} files of it")
        finally:
            running.terminate()
            running.wait(30)


def wait_for_address(log: Path) -> str:
    """Where the console answers, once it does."""
    until = time.monotonic() + 45
    while time.monotonic() < until:
        time.sleep(0.5)
        if found := ADDRESS.search(log.read_text("utf-8")):
            try:
                fetch(found[0])
            except URLError:
                continue
            return found[0]
    raise SystemExit(f"The console did not start:\n{log.read_text('utf-8')}")


def fetch(url: str) -> str:
    """The text at a URL, with the cookies that a redirect sets."""
    opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())
    with opener.open(url, timeout=30) as answer:
        text: str = answer.read().decode("utf-8", "replace")
    return text


def call(folder: Path, *command: str) -> str:
    """The standard output of a command; raises when it fails."""
    say(" ".join(["fraud", *command[1:]]))
    done = subprocess.run(
        command, cwd=folder, env=environment(), stdout=subprocess.PIPE, text=True, check=True
    )
    return done.stdout


def environment() -> dict[str, str]:
    """This environment without what could lead back to the checkout."""
    return {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}


def say(text: str) -> None:
    """Report progress."""
    print(f"check_wheel: {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
