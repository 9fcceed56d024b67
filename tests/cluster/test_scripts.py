"""The shell scripts and the Makefile's cluster targets, where there is no Docker and a fake one."""

import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from detector.adapters.duckdb.views import view_names
from detector.signals.loading import load_rules
from tests.cluster.conftest import ROOT, environment, tool

CHECK = ROOT / "scripts/check_pipeline.sh"
YAML = ["docker-compose.yml", "grafana", "scripts", ".github"]
TARGETS = [
    "up", "down", "reset", "validate", "status", "psql", "risk", "cases", "kpis", "fraud-rate",
    "freshness", "logs-producer", "dbt-run", "panels-live",
]  # fmt: skip


Script = Callable[..., subprocess.CompletedProcess[str]]


def run(*command: str, **options: Any) -> subprocess.CompletedProcess[str]:
    done: subprocess.CompletedProcess[str] = subprocess.run(
        command, capture_output=True, text=True, check=False, **options
    )
    return done


def test_shellcheck_finds_nothing() -> None:
    """Every shell script of the project is clean."""
    scripts = [str(ROOT / ".ci/run"), *(str(path) for path in ROOT.glob("*/*.sh"))]
    assert str(CHECK) in scripts
    done = run(tool("shellcheck"), *scripts)
    assert done.returncode == 0, done.stdout


def test_yamllint_finds_nothing() -> None:
    """The YAML of the cluster and of CI is clean, duplicate keys included."""
    done = run(tool("yamllint"), "--strict", *YAML, cwd=ROOT)
    assert done.returncode == 0, done.stdout


def test_the_linters_would_find_something(tmp_path: Path) -> None:
    """An unquoted variable and a key given twice are noticed."""
    script, file = tmp_path / "a.sh", tmp_path / "a.yaml"
    script.write_text("#!/bin/sh\nrm $1\n", encoding="utf-8")
    file.write_text("a: 1\na: 2\n", encoding="utf-8")
    assert run(tool("shellcheck"), str(script)).returncode != 0
    assert run(tool("yamllint"), "-c", str(ROOT / ".yamllint.yaml"), str(file)).returncode != 0


def test_the_console_has_no_key_of_version_2() -> None:
    """Redpanda Console 3 refuses to start on a key that it does not know."""
    text = (ROOT / "scripts/redpanda-console-config.yaml").read_text(encoding="utf-8")
    top = set(re.findall(r"^(\w+):", text, flags=re.MULTILINE))
    assert top <= {"kafka", "schemaRegistry", "redpanda", "analytics", "server", "logger", "serde"}
    assert not re.search(r"^\s+(schemaRegistry|protobuf|cbor|messagePack):", text, re.MULTILINE)


# check_pipeline.sh


@pytest.fixture
def check(tmp_path: Path, programs: Path) -> Script:
    """Run the check against the fake Docker, with a fault or none."""
    own = tmp_path / "bin"
    own.mkdir()
    project = tmp_path / "project"
    shutil.copytree(ROOT / "scripts", project / "scripts")
    (project / ".env").touch()
    (project / "fraud_detection").mkdir()
    shutil.copy(ROOT / "fraud_detection/dbt_project.yml", project / "fraud_detection")
    docker = own / "docker"
    fake = ROOT / "tests/cluster/fake_docker.py"
    docker.write_text(f'#!/bin/sh\nexec "{sys.executable}" -I -S "{fake}" "$@"\n', encoding="utf-8")
    docker.chmod(0o755)
    state = tmp_path / "state"
    state.mkdir()

    def call(fault: str = "") -> subprocess.CompletedProcess[str]:
        script = str(project / "scripts/check_pipeline.sh")
        more = {"FAULT": fault, "FAKE_STATE": str(state)}
        return run("bash", script, "0", env={**environment(own, programs), **more})

    return call


def lines(output: str, word: str) -> list[str]:
    return [line for line in output.splitlines() if line.startswith(word + " ")]


def test_a_healthy_cluster_passes_every_check(check: Script) -> None:
    """Exit code 0; services, topics, sources, views, findings and Grafana are named."""
    done = check()
    assert done.returncode == 0, done.stdout + done.stderr
    assert "0 failed, 0 warnings" in done.stdout
    passed = {line.split()[1] for line in lines(done.stdout, "ok")}
    assert passed >= {*view_names(load_rules()), "redpanda", "risingwave-init", "fraud.signals"}
    assert "260 records, +60" in done.stdout


@pytest.mark.parametrize(
    ("fault", "named"),
    [
        ("sick grafana", "grafana"),
        ("absent producer", "producer"),
        ("init", "risingwave-init"),
        ("no topic banking.logins", "banking.logins"),
        ("still banking.transactions", "banking.transactions"),
        ("empty banking.alerts", "banking.alerts"),
        ("empty fraud.signals", "fraud.signals"),
        ("stale transactions", "transactions"),
        ("none kyc_profiles", "kyc_profiles"),
        ("stale signals", "newest signal"),
        ("none signals", "newest signal"),
        ("no view mv_channel_risk", "mv_channel_risk"),
        ("none mv_fraud_kpis_1min", "mv_fraud_kpis_1min"),
        ("none mv_open_fraud_cases", "mv_open_fraud_cases"),
        ("outside", "risk scores within 0..1"),
        ("grafana /api/health", "grafana"),
        ("grafana /api/datasources/uid/risingwave/health", "datasource risingwave"),
        ("grafana /api/dashboards/uid/fraud-ops-centre", "dashboard fraud-ops-centre"),
        ("grafana /api/v1/provisioning/alert-rules", "alert rules"),
    ],
)
def test_a_fault_is_named_and_fails(check: Script, fault: str, named: str) -> None:
    """Exit code 1 and exactly one FAIL line, about that part."""
    done = check(fault)
    assert done.returncode == 1
    [line] = lines(done.stdout, "FAIL")
    assert line.split(maxsplit=1)[1].startswith(named)


@pytest.mark.parametrize(
    "fault",
    ["none mv_account_risk_score_realtime", "none mv_cnp_spike", "slow", "rejected",
     "quiet, none mv_open_fraud_cases", "quiet, none signals"],
)  # fmt: skip
def test_what_can_be_explained_warns(check: Script, fault: str) -> None:
    """A quiet moment, a bank without fraud: a warning that says why, and exit code 0."""
    done = check(fault)
    assert done.returncode == 0, done.stdout
    assert len(lines(done.stdout, "warn")) == 1


@pytest.mark.parametrize("fault", ["engine", "compose"])
def test_without_an_engine_nothing_is_claimed(check: Script, fault: str) -> None:
    """Exit code 2 and one sentence on stderr."""
    done = check(fault)
    assert done.returncode == 2 and done.stdout == ""
    assert done.stderr.startswith("check_pipeline: ") and len(done.stderr.splitlines()) == 1


# The Makefile


@pytest.fixture
def make(tmp_path: Path, programs: Path) -> Script:
    """Run a target in a copy of the Makefile and scripts, with no docker on the PATH."""
    own = tmp_path / "bin"
    own.mkdir()
    project = tmp_path / "project"
    shutil.copytree(ROOT / "scripts", project / "scripts")
    shutil.copytree(ROOT / "risingwave", project / "risingwave")
    for name in ("Makefile", ".env.example"):
        shutil.copy(ROOT / name, project / name)

    def call(*words: str, docker: str | None = None) -> subprocess.CompletedProcess[str]:
        if docker is not None:
            program = own / "docker"
            program.write_text(f"#!/bin/sh\n{docker}\n", encoding="utf-8")
            program.chmod(0o755)
        return run(
            "make", f"PYTHON={sys.executable}", *words, cwd=project, env=environment(own, programs)
        )

    return call


@pytest.mark.parametrize("target", TARGETS)
def test_without_docker_each_target_says_so(make: Script, target: str) -> None:
    """One sentence that names Docker and the way to do without; no half-done work."""
    done = make(target)
    assert done.returncode != 0
    assert "needs Docker, which is not installed here" in done.stdout
    assert "make run" in done.stdout


@pytest.mark.parametrize("target", ["psql", "risk", "cases", "kpis", "fraud-rate", "dbt-run"])
def test_a_service_that_is_down_is_named(make: Script, target: str) -> None:
    """With Docker but without the cluster, the target names the service and `make up`."""
    assert make("env").returncode == 0
    done = make(target, docker="exit 0")
    assert done.returncode != 0
    assert "risingwave is not running. Start the cluster with: make up" in done.stdout


def test_a_missing_plugin_and_a_missing_engine_are_distinguished(make: Script) -> None:
    """The message names what is missing: the plugin, the engine, .env."""
    assert "Compose plugin" in make("status", docker="exit 1").stdout
    assert "engine does not answer" in make("status", docker='[ "$1" = compose ]').stdout
    assert "make env" in make("status", docker="exit 0").stdout


def test_up_writes_passwords_first_and_shows_why_it_failed(make: Script, tmp_path: Path) -> None:
    """A first start needs nothing but Docker; a failed one shows the init service's log."""
    fake = 'case "$*" in *" up "*) exit 1;; *logs*) echo "init says: no";; esac'
    done = make("up", docker=fake)
    assert done.returncode != 0
    assert "init says: no" in done.stdout
    env = tmp_path / "project/.env"
    assert "GRAFANA_ADMIN_PASSWORD=" in env.read_text(encoding="utf-8")
    assert env.stat().st_mode & 0o077 == 0


def test_reset_asks_before_it_deletes(make: Script) -> None:
    """Without a yes nothing is deleted."""
    make("env")
    done = make("reset", docker='case "$*" in *--volumes*) echo DELETING;; esac')
    assert done.returncode != 0 and "DELETING" not in done.stdout
    done = make("reset", "YES=1", docker='case "$*" in *--volumes*) echo DELETING;; esac')
    assert done.returncode == 0 and "DELETING" in done.stdout


def test_down_keeps_the_volumes(make: Script) -> None:
    """Only reset deletes."""
    make("env")
    done = make("down", docker='echo "docker $*"')
    assert "docker compose --profile console down\n" in done.stdout
    assert "volumes\n" not in done.stdout


def test_help_lists_the_targets(make: Script) -> None:
    """Each target says in a line what it does."""
    shown = make("help").stdout
    assert all(re.search(rf"^  make {target} ", shown, re.MULTILINE) for target in TARGETS)
