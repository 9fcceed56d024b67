"""Names in `.env` that have no effect because they are misspelt."""

import sys
from difflib import get_close_matches
from pathlib import Path

from detector.core.text import printable

_OTHERS = ("FRAUD_API_KEY", "KAFKA_GROUP_ID", "KEEP_DAYS", "MEMORY_MB", "RISINGWAVE_URL")
"""What the commands read besides the two groups of settings."""
_CLUSTER = Path(__file__).resolve().parents[2] / ".env.example"


def known() -> set[str]:
    """The names of all settings; in a checkout, with those of the cluster."""
    # Imported here: most starts have no `.env`, and need no settings.
    from detector.console.settings import ConsoleSettings
    from producers.config import ProducerSettings

    names = {name.upper() for name in ProducerSettings.model_fields}
    names |= {f"CONSOLE_{name.upper()}" for name in ConsoleSettings.model_fields}
    return names | set(_OTHERS) | _names_in(_CLUSTER)


def warn_of_misspelt(path: Path = Path(".env")) -> None:
    """Say on stderr which names in `.env` are almost those of a setting."""
    given = _names_in(path)
    settings = known() if given else set()
    for name in sorted(given - settings):
        if close := get_close_matches(name, settings, n=1, cutoff=0.8):
            print(
                printable(f"{path}: {name} is not a setting and has no effect; {close[0]} is."),
                file=sys.stderr,
            )


def _names_in(path: Path) -> set[str]:
    try:
        lines = path.read_text("utf-8", "replace").splitlines()
    except OSError:
        return set()
    pairs = (line.split("=", 1) for line in lines if "=" in line and not line.startswith("#"))
    return {name.strip().removeprefix("export ").upper() for name, _ in pairs}
