"""The three Dockerfiles and what they install."""

import fnmatch
import re
import subprocess
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement

from tests.cluster.conftest import ROOT, tool

DOCKERFILES = {
    "detector/Dockerfile": "detector/requirements.txt",
    "producers/Dockerfile": "producers/requirements.txt",
    "fraud_detection/Dockerfile": "fraud_detection/requirements.txt",
}
IGNORED = [
    line
    for line in (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    if line and not line.startswith("#")
]


def instructions(text: str, name: str) -> list[str]:
    """The arguments of one kind of instruction, continuation lines joined."""
    joined = text.replace("\\\n", " ")
    return re.findall(rf"^{name}\s+(.+)$", joined, flags=re.MULTILINE)


def kept(path: str) -> bool:
    """Whether a path reaches the build, by the last pattern of .dockerignore that matches it."""
    answer = True
    for line in IGNORED:
        pattern = line.removeprefix("!")
        if any(
            fnmatch.fnmatch(part, pattern) or fnmatch.fnmatch("/" + part, pattern)
            for part in (path, *(str(p) for p in Path(path).parents))
            if part != "."
        ):
            answer = line.startswith("!")
    return answer


def hadolint(path: Path) -> subprocess.CompletedProcess[str]:
    command = [tool("hadolint"), "--no-color", str(path)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("name", DOCKERFILES)
def test_hadolint_finds_nothing(name: str) -> None:
    """The Dockerfile keeps to good practice."""
    done = hadolint(ROOT / name)
    assert done.returncode == 0, done.stdout


def test_hadolint_would_find_something(tmp_path: Path) -> None:
    """An unpinned base image is noticed."""
    bad = tmp_path / "Dockerfile"
    bad.write_text("FROM python:latest\nRUN cd /tmp\n", encoding="utf-8")
    assert hadolint(bad).returncode != 0


@pytest.mark.parametrize("name", DOCKERFILES)
def test_what_is_copied_exists_and_reaches_the_build(name: str) -> None:
    """Every source of a COPY is in the repository and not ignored."""
    text = (ROOT / name).read_text(encoding="utf-8")
    sources = [
        source
        for line in instructions(text, "COPY")
        if not line.startswith("--from")
        for source in line.split()[:-1]
    ]
    assert sources
    for source in sources:
        assert (ROOT / source).exists(), source
        assert kept(source), source


def test_secrets_data_and_tests_stay_out_of_the_build() -> None:
    """What the images do not need does not reach them."""
    for path in (".env", ".git/config", "data/fraud.duckdb", "producers/tests/naive.py",
                 "fraud_detection/target/manifest.json", "producers/.venv/bin/python",
                 "producers/__pycache__/main.pyc"):  # fmt: skip
        assert not kept(path), path
    for path in ("producers/main.py", "producers/generators/login.py",
                 "fraud_detection/models/staging/stg_logins.sql"):  # fmt: skip
        assert kept(path), path


@pytest.mark.parametrize("name", DOCKERFILES)
def test_the_image_runs_as_an_unprivileged_user(name: str) -> None:
    """The last user is neither root nor a name that Kubernetes could not check; no compiler."""
    text = (ROOT / name).read_text(encoding="utf-8")
    last_stage = text[text.rindex("\nFROM ") :] if text.count("FROM ") > 1 else text
    user = instructions(last_stage, "USER")[-1]
    assert user.isdigit() and int(user) >= 10_000
    assert not re.search(r"gcc|g\+\+|build-essential|cargo", text)
    assert all("--only-binary=:all:" in line for line in instructions(text, "RUN") if "-r " in line)


@pytest.mark.parametrize(
    ("lock", "asked"),
    [
        ("detector/requirements.txt", ("pyproject.toml", None, "")),
        ("detector/requirements.txt", ("pyproject.toml", "risingwave", "")),
        ("detector/requirements.txt", ("pyproject.toml", "oidc", "")),
        ("producers/requirements.txt", ("producers/pyproject.toml", None, "")),
        ("fraud_detection/requirements.txt", ("pyproject.toml", "dbt", "duckdb")),
    ],
)
def test_pinned_versions_are_those_that_the_project_asks_for(
    lock: str, asked: tuple[str, str | None, str]
) -> None:
    """Each requirement of the project is pinned, within its bounds."""
    file, extra, left_out = asked
    pinned = dict(
        line.split("==")
        for line in (ROOT / lock).read_text(encoding="utf-8").splitlines()
        if not line.startswith("#")
    )
    project = tomllib.loads((ROOT / file).read_text(encoding="utf-8"))["project"]
    wanted = project["optional-dependencies"][extra] if extra else project["dependencies"]
    for requirement in map(Requirement, wanted):
        if not left_out or left_out not in requirement.name:
            assert requirement.specifier.contains(pinned[requirement.name.lower()]), requirement


def test_there_is_one_version() -> None:
    """Of the distribution, of the producers' and of the images."""
    wanted = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"]
    own = tomllib.loads((ROOT / "producers/pyproject.toml").read_text("utf-8"))["project"][
        "version"
    ]
    compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text("utf-8"))
    images = [s["image"] for s in compose["services"].values() if "build" in s]
    assert own == wanted
    assert len(images) == 3 and all(image.endswith(f":{wanted}") for image in images)
    for dockerfile in DOCKERFILES:
        label = f'org.opencontainers.image.version="{wanted}"'
        assert label in (ROOT / dockerfile).read_text("utf-8")
    assert f"## {wanted} " in (ROOT / "CHANGELOG.md").read_text("utf-8")
