"""Where the cluster's files are, and a small store to ask the dashboard's questions of."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from detector.adapters.database import connect
from scripts.show_panels import small_store

ROOT = Path(__file__).resolve().parents[2]


def tool(name: str) -> str:
    """The path of a program that the dev extra installed beside this Python."""
    path = Path(sys.executable).with_name(name)
    assert path.exists(), f"{name} is missing; the dev extra of pyproject.toml installs it"
    return str(path)


@pytest.fixture(scope="session")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the machine's usual programs and no docker among them."""
    folder = tmp_path_factory.mktemp("programs")
    for place in ("/usr/bin", "/bin"):
        for program in Path(place).iterdir():
            link = folder / program.name
            if not program.name.startswith("docker") and not link.is_symlink():
                link.symlink_to(program)
    return folder


def environment(*path: Path) -> dict[str, str]:
    """This environment with another PATH, and without what an outer make put there."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    return {**kept, "PATH": os.pathsep.join(map(str, path))}


@pytest.fixture(scope="session")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A replayed small bank with every pattern in it."""
    return small_store(tmp_path_factory.mktemp("panels"))


@pytest.fixture
def db(store: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """That store, opened to read."""
    with connect(store, read_only=True) as connection:
        yield connection
