"""Whether RisingWave can start is known before it is tried."""

import tomllib

import pytest

from scripts.cluster_memory import CONFIG, compactor_mib, problems

GIB = 1 << 30
CONFIGURED = tomllib.loads(CONFIG.read_text("utf-8"))["storage"]["compactor_memory_limit_mb"]


def test_it_starts_as_composed() -> None:
    """With the defaults and the committed configuration."""
    assert problems({}, CONFIGURED) == []


@pytest.mark.parametrize(
    ("gib", "starts"), [(3, False), (6, False), (6.25, False), (6.3, True), (9, True)]
)
def test_without_the_configuration_it_is_as_was_seen(gib: float, starts: bool) -> None:
    """3 and 6 GiB panic, 9 GiB starts; the arithmetic of the source puts the edge at 6.25."""
    total = int(gib * GIB)
    found = problems(
        {"RISINGWAVE_MEMORY_BYTES": str(total), "RISINGWAVE_MEMORY_LIMIT": "16g"}, None
    )
    assert (found == []) is starts
    assert (compactor_mib(total, None) > 512) is starts


@pytest.mark.parametrize("gib", [3, 4, 6, 9, 12])
def test_any_total_from_three_gib_on_starts_with_it(gib: int) -> None:
    """The compactor's share no longer depends on the total."""
    settings = {"RISINGWAVE_MEMORY_BYTES": str(gib * GIB), "RISINGWAVE_MEMORY_LIMIT": f"{2 * gib}g"}
    assert problems(settings, CONFIGURED) == []


@pytest.mark.parametrize(
    ("settings", "configured", "said"),
    [
        ({"RISINGWAVE_MEMORY_BYTES": str(2 * GIB)}, 768, "less than 3 GiB"),
        ({"RISINGWAVE_MEMORY_BYTES": "3g"}, 768, "a number of bytes"),
        ({"RISINGWAVE_MEMORY_LIMIT": "lots"}, 768, "such as 4g"),
        ({"RISINGWAVE_MEMORY_LIMIT": "3g"}, 768, "would be killed"),
        ({}, 512, "compactor_memory_limit_mb"),
    ],
)
def test_what_cannot_start_is_refused_with_what_to_do(
    settings: dict[str, str], configured: int, said: str
) -> None:
    """Each in one sentence."""
    [problem] = problems(settings, configured)
    assert said in problem
