"""The fraud patterns as far as the bank's alerting uses them, from the dbt project."""

import os
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, get_args

import yaml

from producers.config import ProducerSettings
from producers.errors import ConfigError
from producers.models import Severity
from producers.yaml_text import safe_load

DEFAULT_FILE = Path(__file__).resolve().parents[1] / "fraud_detection" / "dbt_project.yml"


@dataclass(frozen=True, slots=True)
class Pattern:
    """The part of a pattern that appears in an alert."""

    alert_type: str
    severity: Severity
    rule_id: str


def patterns_file() -> Path:
    """Return the dbt project that holds the patterns: PATTERNS_FILE, or the repository's own."""
    return Path(os.environ.get("PATTERNS_FILE") or DEFAULT_FILE)


def read_patterns(path: Path | None = None) -> dict[str, Pattern]:
    """Return the patterns by id, in the order of the file; raise `ConfigError` if it has none."""
    path = path or patterns_file()
    project = _project(path)
    try:
        block = project["vars"]["patterns"]
        patterns = {name: _pattern(path, name, fields) for name, fields in block.items()}
    except (AttributeError, KeyError, TypeError) as error:
        raise ConfigError(
            f"the patterns file {path} lacks {error}; every pattern under vars.patterns needs "
            "alert_type, severity and rule_id."
        ) from error
    return patterns


def structuring_threshold(settings: ProducerSettings) -> Decimal:
    """The amount from which cash is reported: the setting, or that of the fraud patterns."""
    if settings.structuring_threshold is not None:
        return settings.structuring_threshold
    path = patterns_file()
    try:
        return Decimal(str(_project(path)["vars"]["amounts"]["structuring_threshold"]))
    except (KeyError, TypeError, ArithmeticError) as error:
        raise ConfigError(
            f"the patterns file {path} lacks {error}; it needs vars.amounts.structuring_threshold."
        ) from error


def currency_rates() -> dict[str, float]:
    """What one unit of each currency is worth in the base currency, itself included."""
    path = patterns_file()
    try:
        currencies = _project(path)["vars"]["currencies"]
        rates = {code: float(rate) for code, rate in currencies["rates"].items()}
        return {**rates, currencies["base"]: 1.0}
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise ConfigError(
            f"the patterns file {path} lacks {error}; it needs vars.currencies with base and rates."
        ) from error


def _project(path: Path) -> Any:
    try:
        return safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(
            f"the patterns file {path} cannot be read ({error.strerror}); "
            "set PATTERNS_FILE to fraud_detection/dbt_project.yml."
        ) from error
    except yaml.YAMLError as error:
        raise ConfigError(f"the patterns file {path} is not YAML: {error}") from error


def _pattern(path: Path, name: str, fields: dict[str, str]) -> Pattern:
    severity = fields["severity"]
    if severity not in get_args(Severity):
        known = ", ".join(get_args(Severity))
        raise ConfigError(
            f"severity of {name} in {path} is {severity!r}; allowed is one of {known}."
        )
    return Pattern(fields["alert_type"], severity, fields["rule_id"])  # type: ignore[arg-type]
