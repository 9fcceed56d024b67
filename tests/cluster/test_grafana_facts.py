"""What was seen on a running Grafana 12.4, each as a check of the files."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from tests.cluster.conftest import ROOT

DASHBOARD = json.loads((ROOT / "grafana/dashboards/fraud_ops_centre.json").read_text("utf-8"))
ALERTING = ROOT / "grafana/provisioning/alerting"
RULES = yaml.safe_load((ALERTING / "fraud.yaml").read_text("utf-8"))
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text("utf-8"))

# Ids of Grafana 12.4 that are in use here; `currencyAUD` and the like are not among its units.
UNITS = {"none", "percent", "percentunit", "s", "ms", "dateTimeFromNow", "bytes", "string"}
CUSTOM = re.compile(r"^(currency:(financial:)?|suffix:|prefix:|time:).+")


def panels(within: list[dict[str, Any]] | None = None) -> Iterator[dict[str, Any]]:
    """All panels, those of collapsed rows included."""
    for panel in DASHBOARD["panels"] if within is None else within:
        yield panel
        yield from panels(panel.get("panels", []))


def units(panel: dict[str, Any]) -> Iterator[str]:
    """The units of a panel: by default, and of single fields."""
    config = panel.get("fieldConfig", {})
    if "unit" in config.get("defaults", {}):
        yield config["defaults"]["unit"]
    for override in config.get("overrides", []):
        yield from (p["value"] for p in override["properties"] if p["id"] == "unit")


def test_every_unit_exists() -> None:
    """Another one is printed as it is: "8380813 currencyAUD"."""
    found = {unit for panel in panels() for unit in units(panel)}
    assert len(found) > 4
    assert {u for u in found if u not in UNITS and not CUSTOM.match(u)} == set()


def test_nothing_looks_healthy_without_data() -> None:
    """`noValue` takes the colour of the base threshold, green also when the database is down."""
    for panel in panels():
        defaults = panel.get("fieldConfig", {}).get("defaults", {})
        assert "noValue" not in defaults, panel["title"]
        if panel["type"] == "stat":
            [shown] = [m["options"] for m in defaults["mappings"] if m["type"] == "special"]
            assert shown["match"] == "null+nan"
            assert shown["result"]["text"] == "no data"
            assert shown["result"]["color"] not in ("green", "red")


def test_outages_are_gaps() -> None:
    """A line from before an outage to after it looks like data."""
    for panel in panels():
        if panel["type"] == "timeseries":
            assert panel["fieldConfig"]["defaults"]["custom"]["insertNulls"] == 150_000


def test_annotations_are_off_until_asked_for() -> None:
    """Two hundred critical cases an hour bury the charts."""
    own = [a for a in DASHBOARD["annotations"]["list"] if not a.get("builtIn")]
    assert own and all(a["enable"] is False for a in own)


def test_links_cannot_be_redirected_by_the_url() -> None:
    """`?var-console=https://evil.example` has no effect on a variable that is not synchronised."""
    for variable in DASHBOARD["templating"]["list"]:
        if variable["type"] == "textbox":
            assert (variable["hide"], variable["skipUrlSync"]) == (2, True)


def test_folders_do_not_look_alike() -> None:
    """Rules in "Fraud alerts" beside dashboards in "Fraud" made a restart delete the dashboard."""
    provider = yaml.safe_load(
        (ROOT / "grafana/provisioning/dashboards/fraud.yaml").read_text("utf-8")
    )
    folders = {p["folder"] for p in provider["providers"]}
    for group in RULES["groups"]:
        assert not any(group["folder"].startswith(folder) for folder in folders)


def test_alerts_reach_a_receiver_and_grafana_starts_without_a_webhook() -> None:
    """An empty URL would stop it from starting."""
    contact = yaml.safe_load((ALERTING / "contact.yaml").read_text("utf-8"))
    names = {point["name"] for point in contact["contactPoints"]}
    assert {policy["receiver"] for policy in contact["policies"]} <= names
    url = COMPOSE["services"]["grafana"]["environment"]["ALERT_WEBHOOK_URL"]
    assert re.fullmatch(r"\$\{ALERT_WEBHOOK_URL:-http://.+\}", url)


@pytest.mark.parametrize("rule", [r for g in RULES["groups"] for r in g["rules"]], ids=str)
def test_alert_texts_are_rounded_and_linked(rule: dict[str, Any]) -> None:
    """Without `with`, no value prints %!f(<nil>); links need the annotations."""
    notes = rule["annotations"]
    if "$values" in notes["summary"]:
        assert "{{ with $values.B }}" in notes["summary"]
        assert re.search(r'printf "%\.\df"', notes["summary"])
    assert notes["__dashboardUid__"] == DASHBOARD["uid"]
    assert int(notes["__panelId__"]) in {panel["id"] for panel in panels()}


def test_it_is_hardened() -> None:
    """A secret key of one's own; nothing goes to its maker or to the public."""
    settings = COMPOSE["services"]["grafana"]["environment"]
    assert settings["GF_SECURITY_SECRET_KEY"].startswith("${GRAFANA_SECRET_KEY:?")
    for name in ("SNAPSHOTS_EXTERNAL", "PUBLIC_DASHBOARDS", "NEWS_NEWS_FEED"):
        assert settings[f"GF_{name}_ENABLED"] == "false"
    assert int(settings["GF_DATAPROXY_ROW_LIMIT"]) <= 20_000
    assert settings["GF_SECURITY_DISABLE_GRAVATAR"] == "true"
    assert settings["GF_PLUGINS_PUBLIC_KEY_RETRIEVAL_DISABLED"] == "true"
