"""Refuses a RISINGWAVE_MEMORY_BYTES with which RisingWave cannot start, before anything is started.

Reads .env; `make up` calls it. Only the standard library, as it runs before anything is installed.
"""

import os
import re
import sys
import tomllib
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
CONFIG = ROOT / "risingwave" / "risingwave.toml"
MIB = 1 << 20
LEAST_COMPACTOR_MIB = 512
"""The compactor of RisingWave 2.4 to 3.0 panics unless it has more than twice 256 MiB."""
LEAST = 3 << 30
"""Total memory with which it was seen to start; below, nothing is known."""
_UNITS = {"": 1, "b": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30}


def compactor_mib(total: int, configured: int | None) -> float:
    """The compactor's memory: as configured, or (total / 8) x 0.8 - 128 MiB."""
    return configured if configured is not None else total / 8 * 0.8 / MIB - 128


def problems(environment: Mapping[str, str], configured: int | None) -> list[str]:
    """Why RisingWave would not start with these settings, each with what to do."""
    total_text = environment.get("RISINGWAVE_MEMORY_BYTES") or str(LEAST)
    limit_text = environment.get("RISINGWAVE_MEMORY_LIMIT") or "4g"
    if not total_text.isdecimal():
        return [f"RISINGWAVE_MEMORY_BYTES is {total_text!r}; it has to be a number of bytes."]
    total, limit = int(total_text), _bytes(limit_text)
    if limit is None:
        return [f"RISINGWAVE_MEMORY_LIMIT is {limit_text!r}; it has to be such as 4g or 4096m."]
    found = []
    if total < LEAST:
        found.append(
            f"RISINGWAVE_MEMORY_BYTES is {total / (1 << 30):.1f} GiB; RisingWave was not seen to "
            f"start with less than {LEAST >> 30} GiB. Set {LEAST} or more."
        )
    if compactor_mib(total, configured) <= LEAST_COMPACTOR_MIB:
        found.append(
            f"The compactor would get {compactor_mib(total, configured):.0f} MiB and panics at "
            f"{LEAST_COMPACTOR_MIB} or less. Set compactor_memory_limit_mb in {CONFIG.name} to 768."
        )
    if total > 0.8 * limit:
        found.append(
            f"RISINGWAVE_MEMORY_BYTES ({total}) is more than 0.8 of RISINGWAVE_MEMORY_LIMIT "
            f"({limit_text}): the container would be killed. Raise the limit or lower the bytes."
        )
    return found


def read_env(path: Path) -> dict[str, str]:
    """The settings of a .env file; the process's environment goes before it."""
    found: dict[str, str] = {}
    if path.exists():
        for line in path.read_text("utf-8").splitlines():
            name, mark, value = line.partition("=")
            if mark and not name.lstrip().startswith("#"):
                found[name.strip()] = value.strip().strip("\"'")
    return found | {k: v for k, v in os.environ.items() if k.startswith("RISINGWAVE_")}


def _bytes(text: str) -> int | None:
    match = re.fullmatch(r"(\d+)([bkmg]?)b?", text.lower())
    return int(match[1]) * _UNITS[match[2]] if match else None


def main() -> int:
    """Print the problems; exit code 1 if there are any."""
    configured = tomllib.loads(CONFIG.read_text("utf-8"))["storage"]["compactor_memory_limit_mb"]
    found = problems(read_env(ROOT / ".env"), configured)
    for problem in found:
        print(f"RisingWave cannot start: {problem}", file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
