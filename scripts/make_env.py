"""Write .env from .env.example and give every empty password a random one.

What .env says already is never changed; settings that it lacks are added. Needs no package.
"""

import re
import secrets
import sys
from pathlib import Path

_SETTING = re.compile(r"^([A-Z][A-Z0-9_]*)=(.*)$")


def complete(example: str, existing: str) -> str:
    """Return the text of .env: what exists, then what only the example has, passwords filled."""
    lines = existing.splitlines() or example.splitlines()
    if existing:
        known = {match[1] for line in lines if (match := _SETTING.match(line))}
        lines += [
            line
            for line in example.splitlines()
            if (match := _SETTING.match(line)) and match[1] not in known
        ]
    return "\n".join(map(_filled, lines)) + "\n"


def _filled(line: str) -> str:
    match = _SETTING.match(line)
    if match and match[1].endswith(("_PASSWORD", "_SECRET_KEY")) and not match[2].strip():
        # Letters, digits, - and _ only: nothing that a shell, YAML or Compose would read.
        return f"{match[1]}={secrets.token_urlsafe(24)}"
    return line


def main() -> None:
    """Complete .env in the repository's root; only its owner may read it."""
    root = Path(__file__).resolve().parents[1]
    target = root / ".env"
    before = target.read_text(encoding="utf-8") if target.exists() else ""
    after = complete((root / ".env.example").read_text(encoding="utf-8"), before)
    if after == before:
        return
    target.touch(mode=0o600)
    target.chmod(0o600)
    target.write_text(after, encoding="utf-8")
    print(f".env {'completed' if before else 'written'}; passwords are in it.", file=sys.stderr)


if __name__ == "__main__":
    main()
