"""Reads the rules of detection from the dbt project."""

from pathlib import Path
from typing import Annotated

import yaml
from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from detector.core.errors import RulesError
from detector.signals.pattern import CONDITION_KINDS, Scalar
from detector.signals.rules import Rules
from producers.yaml_text import safe_load

DEFAULT_PATH = Path(__file__).resolve().parents[2] / "fraud_detection" / "dbt_project.yml"


class RuleSettings(BaseSettings):
    """Rule settings from the environment or `.env`."""

    model_config = SettingsConfigDict(env_file=".env", env_ignore_empty=True, extra="ignore")

    patterns_file: Path = Field(DEFAULT_PATH, description="The dbt project with the rules.")
    structuring_threshold: Annotated[float, Field(ge=100, le=1e9)] | None = Field(
        None, description="Cash from this amount on is reported; structuring stays just below it."
    )


def load_rules(path: Path | None = None) -> Rules:
    """Read and check the rules: of a path, of PATTERNS_FILE, or of the installed dbt project.

    STRUCTURING_THRESHOLD replaces the amount of that name. Raises `RulesError` naming the key, what
    came and what is known.
    """
    try:
        settings = RuleSettings()
    except ValidationError as error:
        raise RulesError(f"The settings of the rules are invalid: {error}") from None
    path = path or settings.patterns_file
    try:
        project = safe_load(path.read_text("utf-8"))
        block = dict(project["vars"])
    except OSError as error:
        raise RulesError(f"The rules of detection cannot be read: {error}.") from error
    except (UnicodeDecodeError, yaml.YAMLError, KeyError, TypeError, ValueError) as error:
        raise RulesError(f"{path} is not a dbt project with a `vars` block: {error}") from error
    if settings.structuring_threshold is not None and isinstance(block.get("amounts"), dict):
        changed = {"structuring_threshold": settings.structuring_threshold}
        block["amounts"] = {**block["amounts"], **changed}
    try:
        return Rules.model_validate(block)
    except ValidationError as error:
        raise RulesError(explained(path, error)) from None


def explained(path: Path, error: ValidationError) -> str:
    """What is wrong in a file of rules, a line for each."""
    lines = [f"{path.name} has a malformed rule:"]
    for detail in error.errors():
        key = ".".join(["vars", *(str(k) for k in detail["loc"] if k not in CONDITION_KINDS)])
        came = detail["input"]
        shown = repr(came) if isinstance(came, Scalar | None) else type(came).__name__
        message = detail["msg"].removeprefix("Value error, ")
        if detail["type"] == "extra_forbidden":
            message = "not a known key"
        lines.append(f"  {key}: {message} (came: {shown})")
    return "\n".join(lines)
