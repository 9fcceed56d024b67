"""docker-compose.yml: its schema, and what the schema cannot see."""

import re
import subprocess
from pathlib import Path

import pytest
import yaml

from detector.console.settings import ConsoleSettings
from producers.config import ProducerSettings
from tests.cluster.compose_rules import bytes_of, findings, resolved
from tests.cluster.conftest import ROOT, tool

FILE = ROOT / "docker-compose.yml"
TEXT = FILE.read_text(encoding="utf-8")
SERVICES = yaml.safe_load(TEXT)["services"]


def schema_check(path: Path) -> int:
    """The exit code of the Compose schema's check."""
    command = [tool("check-jsonschema"), "--builtin-schema", "vendor.compose-spec", str(path)]
    return subprocess.run(command, capture_output=True, check=False).returncode


def test_the_file_meets_the_compose_schema() -> None:
    """Unknown keys, wrong conditions and malformed durations are absent."""
    assert schema_check(FILE) == 0


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("service_healthy", "service_helthy"),
        ("cap_drop:", "capdrop:"),
        ("interval: 5s", "interval: 5"),
    ],
)
def test_the_schema_check_notices(tmp_path: Path, before: str, after: str) -> None:
    """A slip of that kind makes the check fail."""
    assert before in TEXT
    broken = tmp_path / "docker-compose.yml"
    broken.write_text(TEXT.replace(before, after, 1), encoding="utf-8")
    assert schema_check(broken) != 0


def test_nothing_is_found() -> None:
    """The file breaks none of our own rules."""
    assert findings(TEXT, ROOT) == []


@pytest.mark.parametrize(
    ("before", "after", "finding"),
    [
        ("redpanda:v26.2.3", "redpanda:latest", "is not pinned"),
        ("grafana/grafana:12.4.11", "grafana/grafana", "is not pinned"),
        ("dockerfile: producers/Dockerfile", "dockerfile: producers/Dockerfil", "there is no"),
        ("risingwave: {condition", "rising: {condition", "rising, which does not exist"),
        ('restart: "no"', "restart: always", "which is restarted"),
        ("service_completed_successfully", "service_started", "no service that stays"),
        ('["CMD-SHELL", "curl -fsS', '["curl -fsS', "must be a list that begins"),
        ('["CMD-SHELL", "rpk cluster health |', '["CMD-SHELL", "true", "rpk |', "only the first"),
        ('["CMD", "bash", "-c", "exec', '["CMD-SHELL", "exec', "needs bash"),
        ("start_period: 60s", "disable: false", "lacks start_period"),
        ("127.0.0.1:${GRAFANA_PORT", "${GRAFANA_PORT", "open beyond this machine"),
        ("grafana-data:/var", "grafana-dat:/var", "grafana-dat is not declared"),
        ("./grafana/dashboards", "./grafana/dashboard", "does not exist"),
        ("create_host_path: false", "create_host_path: true", "be made when missing"),
        ('security_opt: ["no-new-privileges:true"]', "security_opt: []", "may gain privileges"),
        ('options: {max-size: 10m, max-file: "3"}', "options: {}", "may fill the disk"),
        ("memory: 512m, pids: 512", "memory: 512m", "no limit of pids"),
        ("read_only: true\n    tmpfs", "tmpfs", "must run read-only"),
        ("init: true", "init: true\n    env_file: .env", "every password"),
        ("${GRAFANA_ADMIN_PASSWORD:?run", "${GRAFANA_ADMIN_PASSWORD:-run", "must be demanded"),
        ("${SEED:-7}", "${SEED:-8}", "has default '8' here"),
        ("${SEED:-7}", "${SEEDS:-7}", "SEEDS is not in .env.example"),
        ("grep -q ok", "grep -q $ok", "write $$"),
        ("memory: 256m", "memory: 2g", "add up to 9.6 GiB"),
        ("  redpanda-data:\n", "  redpanda-data:\n  spare:\n", "spare is not used"),
    ],
)  # fmt: skip
def test_each_rule_notices(before: str, after: str, finding: str) -> None:
    """Breaking the file in one place is found and named."""
    assert before in TEXT
    found = findings(TEXT.replace(before, after), ROOT)
    assert any(finding in line for line in found), found


def test_six_services_and_an_optional_console() -> None:
    """The services are the mission's six; the console comes only when its profile is asked for."""
    always = [name for name, service in SERVICES.items() if "profiles" not in service]
    assert always == [
        "redpanda", "redpanda-console", "risingwave", "risingwave-init", "grafana", "producer",
    ]  # fmt: skip
    assert {n: s["profiles"] for n, s in SERVICES.items() if n not in always} == {
        "console": ["console"]
    }


def test_the_producer_is_given_settings_that_it_knows() -> None:
    """A misspelled setting would silently be the default; the values are all accepted."""
    given = {k: resolved(str(v)) for k, v in SERVICES["producer"]["environment"].items()}
    known = {name.upper() for name in ProducerSettings.model_fields}
    assert given.keys() <= known
    settings = ProducerSettings(_env_file=None, **{k.lower(): v for k, v in given.items()})
    assert settings.kafka_bootstrap_servers == "redpanda:9092"
    example = (ROOT / ".env.example").read_text(encoding="utf-8")
    of_the_bank = set(re.findall(r"^([A-Z_]+)=", example.split("# Publishing")[0], re.MULTILINE))
    assert of_the_bank <= given.keys()


def test_risingwave_leaves_room_below_its_limit() -> None:
    """Its memory setting is below the container's limit, or it would be killed."""
    service = SERVICES["risingwave"]
    arguments = [resolved(part) for part in service["command"]]
    told = int(arguments[arguments.index("--total-memory-bytes") + 1])
    limit = bytes_of(resolved(service["deploy"]["resources"]["limits"]["memory"]))
    assert told <= 0.8 * limit
    assert arguments[0] == "single_node"
    assert resolved(service["environment"]["RW_SINGLE_NODE_IN_MEMORY"]) == "false"


def test_the_profile_reads_what_the_init_service_sets() -> None:
    """Each variable of the dbt profile for RisingWave is in the init service's environment."""
    profiles = (ROOT / "fraud_detection/profiles.yml").read_text(encoding="utf-8")
    macros = (ROOT / "fraud_detection/macros/settings.sql").read_text(encoding="utf-8")
    read = set(re.findall(r"env_var\('(RISINGWAVE_[A-Z_]+)'", profiles + macros))
    assert len(read) >= 7
    assert read <= SERVICES["risingwave-init"]["environment"].keys()


def test_passwords_go_only_where_they_are_used() -> None:
    """The administrator's password of RisingWave stays with the init service."""
    holders = {
        name
        for name, service in SERVICES.items()
        if "${RISINGWAVE_PASSWORD" in str(service.get("environment", {}))
    }
    assert holders == {"risingwave-init"}


def test_the_settings_of_the_console_reach_its_container() -> None:
    """Each that is not about where it listens, from .env; one that is not set is the default."""
    environment = SERVICES["console"]["environment"]
    example = (ROOT / ".env.example").read_text("utf-8")
    for name in set(ConsoleSettings.model_fields) - {"host", "port", "demo", "demo_token"}:
        key = f"CONSOLE_{name.upper()}"
        assert environment[key] == f"${{{key}:-}}"
        assert f"#{key}=" in example


def test_an_empty_setting_of_the_console_is_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    """As the container gets it."""
    for name in ConsoleSettings.model_fields:
        monkeypatch.setenv(f"CONSOLE_{name.upper()}", "")
    assert ConsoleSettings(_env_file=None) == ConsoleSettings.model_construct()
