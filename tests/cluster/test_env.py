"""make env: random passwords; existing settings are kept."""

import re

from scripts.make_env import complete
from tests.cluster.conftest import ROOT

EXAMPLE = (ROOT / ".env.example").read_text(encoding="utf-8")


def passwords(text: str) -> dict[str, str]:
    return dict(re.findall(r"^([A-Z_]+_PASSWORD)=(.*)$", text, flags=re.MULTILINE))


def test_a_new_file_has_four_long_passwords_all_different() -> None:
    """Nothing guessable, nothing that a shell would read, and another time others."""
    first, second = passwords(complete(EXAMPLE, "")), passwords(complete(EXAMPLE, ""))
    assert len(first) == 4
    assert len({*first.values(), *second.values()}) == 8
    assert all(re.fullmatch(r"[A-Za-z0-9_-]{32}", value) for value in first.values())


def test_what_is_set_stays_and_what_lacks_is_added() -> None:
    """Own values, comments and order stay; only empty passwords are filled."""
    mine = "# mine\nSEED=99\nGRAFANA_ADMIN_PASSWORD=mine\nRISINGWAVE_PASSWORD=\n"
    text = complete(EXAMPLE, mine)
    assert text.startswith("# mine\nSEED=99\nGRAFANA_ADMIN_PASSWORD=mine\nRISINGWAVE_PASSWORD=")
    assert passwords(text)["RISINGWAVE_PASSWORD"]
    names = re.findall(r"^([A-Z_]+)=", text, flags=re.MULTILINE)
    assert len(names) == len(set(names))
    assert set(re.findall(r"^([A-Z_]+)=", EXAMPLE, flags=re.MULTILINE)) <= set(names)


def test_completing_twice_changes_nothing() -> None:
    """The passwords of a running cluster are safe from a second `make up`."""
    once = complete(EXAMPLE, "")
    assert complete(EXAMPLE, once) == once


def test_the_example_holds_no_password() -> None:
    """The committed file contains no usable password."""
    assert set(passwords(EXAMPLE).values()) == {""}
