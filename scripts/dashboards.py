"""The SQL in the Grafana files, and a local copy of the rules by which Grafana expands it.

Standard library only, except for the alert rules, which are YAML.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

GRAFANA = Path(__file__).resolve().parents[1] / "grafana"
DASHBOARD = GRAFANA / "dashboards" / "fraud_ops_centre.json"
ALERTS = GRAFANA / "provisioning" / "alerting" / "fraud.yaml"

# As the plugin has it: arguments end at the first closing bracket.
_MACRO = re.compile(r"\$([_a-zA-Z0-9]+)\(([^)]*)\)")
_VARIABLE = re.compile(r"\$(?:\{(\w+)\}|(\w+))")
_SPAN = re.compile(r"^(\d+)(ms|s|m|h|d)$")
_SECONDS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400}


class MacroError(ValueError):
    """The SQL uses something that Grafana would not expand."""


@dataclass(frozen=True, slots=True)
class Query:
    """One query of the dashboard or the alert rules: whose it is, its format, its raw SQL."""

    owner: str
    title: str
    format: str
    sql: str


@dataclass(frozen=True, slots=True)
class Range:
    """The time range that a viewer has chosen, and the step that Grafana derives from it."""

    start: datetime
    end: datetime
    interval: str = "10s"


def load(path: Path = DASHBOARD) -> dict[str, Any]:
    """Return a dashboard."""
    dashboard: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return dashboard


def panels(dashboard: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """All panels, rows included, those inside collapsed rows too."""
    for panel in dashboard["panels"]:
        yield panel
        yield from panel.get("panels", [])


def dashboard_queries(dashboard: Mapping[str, Any]) -> Iterator[Query]:
    """The queries of panels, then variables, then annotations."""
    for panel in panels(dashboard):
        for target in panel.get("targets", []):
            owner = f"panel {panel['id']}"
            yield Query(owner, panel["title"], target["format"], target["rawSql"])
    for variable in dashboard["templating"]["list"]:
        if variable["type"] == "query":
            yield Query("variable", variable["name"], "table", variable["query"])
    for annotation in dashboard["annotations"]["list"]:
        if target := annotation.get("target"):
            yield Query("annotation", annotation["name"], target["format"], target["rawSql"])


def alert_rules(path: Path = ALERTS) -> Iterator[dict[str, Any]]:
    """The provisioned alert rules."""
    import yaml

    for group in yaml.safe_load(path.read_text(encoding="utf-8"))["groups"]:
        yield from group["rules"]


def alert_queries(rules: Iterator[dict[str, Any]]) -> Iterator[Query]:
    """The queries of alert rules that go to a data source."""
    for rule in rules:
        for step in rule["data"]:
            if "rawSql" in step["model"]:
                model = step["model"]
                yield Query("alert", rule["title"], model["format"], model["rawSql"])


def choices(dashboard: Mapping[str, Any], **chosen: list[str]) -> dict[str, str]:
    """The text that each variable becomes in SQL: its `allValue`, or the quoted choices."""
    texts = {}
    for variable in dashboard["templating"]["list"]:
        name = variable["name"]
        if name in chosen:
            quoted = ("'" + value.replace("'", "''") + "'" for value in chosen[name])
            texts[name] = ",".join(quoted)
        else:
            texts[name] = variable.get("allValue") or variable.get("query", "")
    return texts


def expand(sql: str, span: Range, variables: Mapping[str, str] | None = None) -> str:
    """Return the SQL as Grafana sends it: variables, then intervals, then macros.

    Raises `MacroError` for a macro or variable that Grafana does not know; alerts have none.
    """

    def variable(match: re.Match[str]) -> str:
        name = match[1] or match[2]
        if name in (variables or {}):
            return (variables or {})[name]
        if name.startswith("__"):
            return match[0]
        raise MacroError(f"${name} is not a variable of this dashboard")

    sql = _VARIABLE.sub(variable, sql)
    milliseconds = str(int(_seconds(span.interval) * 1000))
    sql = sql.replace("$__interval_ms", milliseconds).replace("$__interval", span.interval)
    sql = _MACRO.sub(lambda match: _macro(match[1], match[2], span), sql)
    if left := re.search(r"\$_*\w*", sql):
        raise MacroError(f"{left[0]} is left over after expansion")
    return sql


def _macro(name: str, arguments: str, span: Range) -> str:
    parts = [part.strip() for part in arguments.split(",")]
    start, end = _literal(span.start), _literal(span.end)
    match name:
        case "__timeFilter":
            return f"{parts[0]} BETWEEN {start} AND {end}"
        case "__timeFrom":
            return start
        case "__timeTo":
            return end
        case "__time":
            return f'{parts[0]} AS "time"'
        case "__timeGroup":
            return _bucket(parts)
        case "__timeGroupAlias":
            return f'{_bucket(parts)} AS "time"'
        case "__unixEpochFilter":
            first, last = int(span.start.timestamp()), int(span.end.timestamp())
            return f"{parts[0]} >= {first} AND {parts[0]} <= {last}"
        case "__unixEpochFrom":
            return str(int(span.start.timestamp()))
        case "__unixEpochTo":
            return str(int(span.end.timestamp()))
    raise MacroError(f"${name}( is not a macro of the PostgreSQL data source")


def _bucket(parts: list[str]) -> str:
    if len(parts) < 2:
        raise MacroError("$__timeGroup needs a column and an interval")
    step = f"{_seconds(parts[1].strip(chr(39))):g}"
    return f"floor(extract(epoch from {parts[0]})/{step})*{step}"


def _seconds(text: str) -> float:
    match = _SPAN.match(text)
    if not match:
        raise MacroError(f"{text!r} is not an interval")
    return int(match[1]) * _SECONDS[match[2]]


def _literal(moment: datetime) -> str:
    return f"'{moment.strftime('%Y-%m-%dT%H:%M:%S.%f').rstrip('0').rstrip('.')}Z'"
