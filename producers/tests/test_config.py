"""Settings: the defaults, where they come from, and how a bad one is refused."""

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from producers.config import ProducerSettings
from producers.errors import ConfigError
from producers.patterns import read_patterns, structuring_threshold


def test_the_defaults_are_those_of_the_documentation(
    settings: Callable[..., ProducerSettings],
) -> None:
    """Without an environment the bank behaves as documented."""
    defaults = settings()
    assert defaults.fraud_rate == 0.005
    assert defaults.transaction_rate == 20
    assert structuring_threshold(defaults) == Decimal(10_000)
    assert defaults.customer_pool_size == 2000
    assert defaults.seed == 7
    assert defaults.kafka_bootstrap_servers == "localhost:19092"


def test_the_environment_sets_a_value(
    settings: Callable[..., ProducerSettings], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Names are upper case, without a prefix."""
    monkeypatch.setenv("FRAUD_RATE", "0.25")
    assert settings().fraud_rate == 0.25


def test_a_dotenv_file_sets_a_value(
    settings: Callable[..., ProducerSettings], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`.env` of the working directory is read."""
    (tmp_path / ".env").write_text("TRANSACTION_RATE=5\nSOMETHING_ELSE=1\n")
    monkeypatch.chdir(tmp_path)
    assert settings().transaction_rate == 5


def test_an_empty_variable_counts_as_unset(
    settings: Callable[..., ProducerSettings], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Compose files pass empty variables on; they mean the default."""
    monkeypatch.setenv("SEED", "")
    assert settings().seed == 7


@pytest.mark.parametrize(
    ("name", "value", "allowed"),
    [
        ("FRAUD_RATE", "1.5", "from 0 to 1"),
        ("FRAUD_RATE", "nan", "from 0 to 1"),
        ("FRAUD_RATE", "ten", "from 0 to 1"),
        ("TRANSACTION_RATE", "0", "above 0"),
        ("CUSTOMER_POOL_SIZE", "9", "from 10"),
        ("STRUCTURING_THRESHOLD", "-1", "from 100"),
        ("PROFILE", "wild", "demo, realistic or adversarial"),
        ("METRICS_PORT", "70000", "from 0 to 65535"),
        ("KAFKA_SECURITY_PROTOCOL", "TLS", "SASL_SSL"),
    ],
)
def test_a_bad_value_is_refused_with_all_one_needs(
    settings: Callable[..., ProducerSettings],
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    value: Any,
    allowed: Any,
) -> None:
    """The error names the setting, what came, what is allowed and what to do."""
    monkeypatch.setenv(name, value)
    with pytest.raises(ConfigError) as error:
        settings()
    text = str(error.value)
    assert name in text and repr(value) in text and allowed in text and "Correct it" in text


def test_all_bad_values_are_named_at_once(settings: Callable[..., ProducerSettings]) -> None:
    """Correcting them takes one attempt."""
    with pytest.raises(ConfigError, match=r"FRAUD_RATE.*\n.*TRANSACTION_RATE"):
        settings(fraud_rate=2.0, transaction_rate=-1.0)


def test_a_password_is_shown_nowhere(settings: Callable[..., ProducerSettings]) -> None:
    """Neither in the settings' text nor in an error."""
    secret = settings(kafka_sasl_password="open sesame")
    assert "open sesame" not in repr(secret)
    with pytest.raises(ConfigError) as error:
        settings(kafka_sasl_password=["open sesame"])
    assert "open sesame" not in str(error.value)


def test_settings_are_fixed_once_built(settings: Callable[..., ProducerSettings]) -> None:
    """A running bank does not change its mind."""
    with pytest.raises(ValueError, match="frozen"):
        settings().seed = 8  # type: ignore[misc]


def test_security_is_passed_on_to_the_kafka_client(
    settings: Callable[..., ProducerSettings],
) -> None:
    """SASL and TLS arrive under the names that kafka-python uses; unset ones are left out."""
    options = settings(
        kafka_bootstrap_servers="a:1,b:2",
        kafka_security_protocol="SASL_SSL",
        kafka_sasl_mechanism="PLAIN",
        kafka_sasl_username="bank",
        kafka_sasl_password="secret",
    ).kafka_options()
    assert options == {
        "bootstrap_servers": ["a:1", "b:2"],
        "security_protocol": "SASL_SSL",
        "sasl_mechanism": "PLAIN",
        "sasl_plain_username": "bank",
        "sasl_plain_password": "secret",
    }


def test_every_setting_explains_itself() -> None:
    """Each has a meaning and says what is allowed."""
    for name, field in ProducerSettings.model_fields.items():
        assert field.description, name
        assert isinstance(field.json_schema_extra, dict), name
        assert field.json_schema_extra["allowed"], name


def test_a_missing_patterns_file_is_refused_with_what_to_do(tmp_path: Path) -> None:
    """The error names the file and the variable that sets it."""
    with pytest.raises(ConfigError, match=r"nowhere\.yml.*PATTERNS_FILE"):
        read_patterns(tmp_path / "nowhere.yml")


@pytest.mark.parametrize(
    "text", ["", "[]", "vars: {}", "vars: {patterns: {velocity: {severity: HIGH}}}", "a: [", "1"]
)
def test_a_malformed_patterns_file_is_refused(tmp_path: Path, text: str) -> None:
    """Whatever is wrong in it, the error names the file."""
    path = tmp_path / "project.yml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=r"project\.yml"):
        read_patterns(path)


def test_the_patterns_file_can_be_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """PATTERNS_FILE replaces the repository's own file."""
    path = tmp_path / "project.yml"
    path.write_text("vars: {patterns: {velocity: {alert_type: FAST, severity: LOW, rule_id: R1}}}")
    monkeypatch.setenv("PATTERNS_FILE", str(path))
    assert read_patterns()["velocity"].alert_type == "FAST"
