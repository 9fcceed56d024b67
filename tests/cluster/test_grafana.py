"""The dashboard, the alerts and the provisioning files, and the SQL in all of them."""

import copy
import json
import logging
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import combinations
from typing import Any

import duckdb
import pytest
import sqlglot
import yaml
from sqlglot import exp

from detector.adapters.duckdb.views import view_names
from detector.adapters.questions import QuestionName, statement
from detector.signals.loading import load_rules
from scripts import ask_grafana, dashboards, show_panels
from scripts.dashboards import MacroError, Query, Range, expand
from tests.build import SHIPPED
from tests.cluster.conftest import ROOT

Store = duckdb.DuckDBPyConnection
DASHBOARD = dashboards.load()
VIEWS = set(view_names(load_rules()))
PANELS = list(dashboards.panels(DASHBOARD))
RULES = list(dashboards.alert_rules())
QUERIES = [*dashboards.dashboard_queries(DASHBOARD), *dashboards.alert_queries(iter(RULES))]
SPAN = Range(datetime(2026, 1, 5, 9, tzinfo=UTC), datetime(2026, 1, 5, 10, tzinfo=UTC))
# Verified in RisingWave's source or tests (facts on the stack); another one has to be looked up.
FUNCTIONS = {
    "COUNT", "SUM", "MAX", "MIN", "COALESCE", "ROUND", "EXTRACT", "TIMESTAMP_TRUNC", "NULLIF",
    "CASE", "CAST", "CURRENT_TIMESTAMP", "AND", "OR", "IF", "JSON_EXTRACT_SCALAR", "DATE_TRUNC",
    "FLOOR", "REPLACE",
}  # fmt: skip
each_query = pytest.mark.parametrize("query", QUERIES, ids=lambda q: f"{q.owner} {q.title}")


def expanded(query: Query) -> str:
    variables = None if query.owner == "alert" else dashboards.choices(DASHBOARD)
    return expand(query.sql, SPAN, variables)


# The dashboard's shape


def overlaps(panels: list[dict[str, Any]]) -> list[tuple[int, int]]:
    """Pairs of panels that cover each other, and panels wider than the grid with themselves."""
    found = [(p["id"], p["id"]) for p in panels if p["gridPos"]["x"] + p["gridPos"]["w"] > 24]
    for one, other in combinations(panels, 2):
        a, b = one["gridPos"], other["gridPos"]
        beside = a["x"] + a["w"] <= b["x"] or b["x"] + b["w"] <= a["x"]
        above = a["y"] + a["h"] <= b["y"] or b["y"] + b["h"] <= a["y"]
        if not (beside or above):
            found.append((one["id"], other["id"]))
    return found


def test_panels_have_ids_of_their_own_and_room() -> None:
    """No id twice, no panel over another, none wider than the grid."""
    ids = [panel["id"] for panel in PANELS]
    assert len(ids) == len(set(ids))
    assert overlaps(PANELS) == []


def test_an_overlap_would_be_found() -> None:
    """Moving a panel one column to the left covers its neighbour."""
    moved = copy.deepcopy(PANELS)
    moved[1]["gridPos"]["x"] -= 1
    assert overlaps(moved) == [(PANELS[0]["id"], PANELS[1]["id"])]


def test_the_dashboard_is_the_one_that_was_asked_for() -> None:
    """Title, refresh, fixed uid, no id; variables for level and pattern; an annotation."""
    assert DASHBOARD["title"] == "Fraud Operations Centre"
    assert DASHBOARD["uid"] == "fraud-ops-centre" and DASHBOARD.get("id") is None
    assert DASHBOARD["refresh"] == "10s"
    assert {v["name"] for v in DASHBOARD["templating"]["list"]} >= {"level", "pattern"}
    titles = {panel["title"] for panel in PANELS}
    assert titles >= {
        "Transactions", "Flagged", "Fraud rate", "Critical accounts", "Open cases", "Overdue cases",
        "At risk", "Newest signal", "Firing alerts", "Signals by pattern",
        "Risk distribution", "Top-risk accounts", "Merchants", "Fraud rate by channel",
        "Impossible trips", "Login storms", "Structuring watch", "History by the minute",
        "Pipeline",
    }  # fmt: skip


def test_the_first_screen_answers_the_first_questions() -> None:
    """Under attack, by what, which case first: without scrolling at 1366 x 768 (17 rows)."""
    stats = [p for p in PANELS if p["type"] == "stat" and p["gridPos"]["y"] == 0]
    assert [p["title"] for p in sorted(stats, key=lambda p: p["gridPos"]["x"])] == [
        "Critical accounts", "Open cases", "Overdue cases", "At risk", "Fraud rate",
        "Flagged", "Transactions", "Newest signal",
    ]  # fmt: skip
    ends = {p["title"]: p["gridPos"]["y"] + p["gridPos"]["h"] for p in PANELS}
    [cases] = [p for p in PANELS if p["title"] == "Open cases" and p["type"] == "table"]
    assert cases["gridPos"]["w"] == 24
    for title in ("Pipeline", "Firing alerts", "Open cases"):
        assert ends[title] <= 17
    assert not any(p.get("collapsed") for p in PANELS)


def test_titles_and_columns_are_words_that_fit() -> None:
    """A stat's title of three words is cut; a column of a table never reads like_this."""
    variables = dashboards.choices(DASHBOARD)
    for panel in PANELS:
        if panel["type"] == "stat":
            assert len(panel["title"].split()) <= 2 and len(panel["title"]) <= 18
        if panel["type"] == "table":
            names = {o["matcher"]["options"]: o for o in panel["fieldConfig"]["overrides"]}
            [query] = [q for q in QUERIES if q.owner == f"panel {panel['id']}"]
            tree = sqlglot.parse_one(expand(query.sql, SPAN, variables), read="risingwave")
            assert isinstance(tree, exp.Query)
            for column in tree.named_selects:
                [shown] = [
                    p["value"] for p in names[column]["properties"] if p["id"] == "displayName"
                ]
                assert "_" not in shown and shown[0].isupper()


def test_open_cases_fit_a_small_screen() -> None:
    """All columns at 1366 px with the menu docked: some 1,080 px, the patterns need 120."""
    [cases] = [p for p in PANELS if p["title"] == "Open cases" and p["type"] == "table"]
    widths = [
        q["value"]
        for o in cases["fieldConfig"]["overrides"]
        for q in o["properties"]
        if q["id"] == "custom.width"
    ]
    assert len(widths) == len(cases["fieldConfig"]["overrides"]) - 1
    assert sum(widths) <= 1080 - 120


def test_colours_are_those_of_the_console() -> None:
    """One for each pattern and level, the ones that the console has on dark ground."""
    css = (ROOT / "detector/console/shell/app.css").read_text(encoding="utf-8")

    def dark(name: str) -> str:
        found = re.search(rf"--{name}: light-dark\([^,]+, (#\w+)\)", css)
        assert found
        return found[1]

    patterns = SHIPPED.patterns
    ours = {p: dark(f"pattern-{n}") for n, p in enumerate(patterns, 1)}
    levels = {level: dark(f"{level}-strong") for level in ("critical", "high", "medium", "low")}
    assert len(set(ours.values())) == len(patterns)
    for title, wanted in (("Signals by pattern", ours), ("Risk distribution", levels)):
        [panel] = [p for p in PANELS if p["title"] == title]
        shown = {
            o["matcher"]["options"]: q["value"]["fixedColor"]
            for o in panel["fieldConfig"]["overrides"]
            for q in o["properties"]
            if q["id"] == "color"
        }
        assert shown == wanted
    mapped: dict[str, set[str]] = {}
    for mapping in re.finditer(
        r'"(\w+)": \{"text": "[^"]+", "color": "(#\w+)"', json.dumps(DASHBOARD)
    ):
        mapped.setdefault(mapping[1].lower(), set()).add(mapping[2])
    for mapping in re.finditer(r'"(\w+)": \{"color": "(#\w+)", "text"', json.dumps(DASHBOARD)):
        mapped.setdefault(mapping[1].lower(), set()).add(mapping[2])
    assert set(mapped) == set(ours) | set(levels)
    assert all(mapped[name] == {colour} for name, colour in (ours | levels).items())


def test_the_last_partial_minute_is_no_collapse() -> None:
    """What is counted by the minute ends with the last complete one."""
    counted = [q for q in QUERIES if "date_trunc('minute', occurred_at)" in q.sql]
    assert len(counted) >= 2
    for query in counted:
        assert query.sql.count("occurred_at < date_trunc('minute', now())") == query.sql.count(
            "date_trunc('minute', occurred_at)"
        )


def sources(node: Any) -> Iterator[str]:
    """Every data source uid in a JSON tree."""
    if isinstance(node, dict):
        if isinstance(node.get("datasource"), dict):
            yield node["datasource"]["uid"]
        for value in node.values():
            yield from sources(value)
    elif isinstance(node, list):
        for value in node:
            yield from sources(value)


def test_every_query_names_the_provisioned_data_source() -> None:
    """One uid in panels, targets, variables, annotations and alerts."""
    folder = ROOT / "grafana/provisioning/datasources"
    provisioned = yaml.safe_load((folder / "risingwave.yaml").read_text(encoding="utf-8"))
    [source] = provisioned["datasources"]
    assert source["type"] == "grafana-postgresql-datasource"
    assert ":" in source["url"] and "//" not in source["url"]
    assert source["jsonData"]["sslmode"] == "disable" and source["jsonData"]["database"] == "dev"
    assert set(sources(DASHBOARD)) == {source["uid"], "-- Grafana --"}
    steps = [step for rule in RULES for step in rule["data"]]
    assert {step["datasourceUid"] for step in steps} == {source["uid"], "__expr__"}
    for panel in PANELS:
        for target in panel.get("targets", []):
            assert target["datasource"]["uid"] == source["uid"]
            assert target["rawQuery"] is True and target["editorMode"] == "code"
            assert target["format"] in ("table", "time_series")


def test_the_data_source_signs_in_as_the_reader() -> None:
    """Grafana uses the read-only user, and a password that the compose file hands it."""
    text = (ROOT / "grafana/provisioning/datasources/risingwave.yaml").read_text(encoding="utf-8")
    compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
    environment = compose["services"]["grafana"]["environment"]
    assert "user: fraud_reader" in text
    assert set(re.findall(r"\$(\w+)", text)) <= environment.keys()


def test_the_map_fetches_nothing_from_the_internet() -> None:
    """Its background comes with Grafana; no address in the dashboard leads elsewhere."""
    [geomap] = [panel for panel in PANELS if panel["type"] == "geomap"]
    assert geomap["options"]["basemap"]["type"] == "geojson"
    assert geomap["options"]["basemap"]["config"]["src"].startswith("public/")
    assert {layer["type"] for layer in geomap["options"]["layers"]} == {"markers"}
    assert set(re.findall(r"https?://[^\"/]+", json.dumps(DASHBOARD))) == {"http://127.0.0.1:8000"}


def test_overrides_and_map_name_columns_that_the_query_returns(
    db: Store,
) -> None:
    """A renamed column would otherwise leave a colour or a link behind unnoticed."""
    variables, span = dashboards.choices(DASHBOARD), show_panels.whole_range(db)
    seen = 0
    for query, panel in zip(QUERIES, [p for p in PANELS if p.get("targets")], strict=False):
        columns, _ = show_panels.ask(db, query, span, variables)
        named = {o["matcher"]["options"] for o in panel["fieldConfig"]["overrides"]}
        if "metric" in columns:  # named by their values, which need not occur
            assert named <= set(load_rules().patterns)
            named = set()
        for layer in panel["options"].get("layers", []):
            named |= {layer["location"]["latitude"], layer["location"]["longitude"]}
            named.add(layer["config"]["style"]["color"]["field"])
        assert named <= set(columns), panel["title"]
        seen += len(named)
    assert seen >= 15


# The SQL


@each_query
def test_the_sql_is_in_risingwaves_dialect(query: Query, caplog: pytest.LogCaptureFixture) -> None:
    """It parses as one SELECT over the eighteen views, with functions known to be there."""
    with caplog.at_level(logging.WARNING):
        [tree] = sqlglot.parse(expanded(query), read="risingwave")
    assert not caplog.records
    assert isinstance(tree, exp.Select | exp.Union)
    assert complaints(tree) == []


def complaints(tree: exp.Expr) -> list[str]:
    """What RisingWave would not take, or what is outside the eighteen views."""
    named = {cte.alias for cte in tree.find_all(exp.CTE)}
    found = [
        f"relation {table.name}"
        for table in tree.find_all(exp.Table)
        if table.name not in VIEWS | named
    ]
    for call in tree.find_all(exp.Func):
        name = call.name if isinstance(call, exp.Anonymous) else call.sql_name()
        if name.upper() not in FUNCTIONS:
            found.append(f"function {name}")
    for call in tree.find_all(exp.Round):
        if call.args.get("decimals") and isinstance(call.this, exp.Column):
            found.append("round(double precision, n)")
    for kind in tree.find_all(exp.DataType):
        if kind.expressions and kind.this in (exp.DataType.Type.DECIMAL, exp.DataType.Type.VARCHAR):
            found.append(f"type {kind.sql()}")
    return found


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT count(*) FROM fraud_signals",
        "SELECT time_bucket('1 minute', occurred_at) FROM stg_logins",
        "SELECT arg_max(event_id, occurred_at) FROM stg_logins",
        "SELECT amount::NUMERIC(18, 2) FROM stg_transactions",
        "SELECT round(observed, 1) FROM mv_fraud_signals",
    ],
)
def test_what_risingwave_lacks_is_noticed(sql: str) -> None:
    """DuckDB would take each of these."""
    assert complaints(sqlglot.parse_one(sql, read="risingwave"))


@each_query
def test_the_query_returns_rows(query: Query, db: Store) -> None:
    """On a generated bank every query has an answer; time series are named and sorted by time."""
    span = show_panels.whole_range(db)
    columns, rows = show_panels.ask(db, query, span, dashboards.choices(DASHBOARD))
    assert rows
    assert any(value is not None for row in rows for value in row)
    if query.format == "time_series":
        place = columns.index("time")
        times = [row[place] for row in rows]
        assert times == sorted(times)
        assert all(isinstance(moment, datetime) and moment.tzinfo for moment in times)
    if query.owner == "annotation":
        assert {"time", "text"} <= set(columns)


@pytest.mark.parametrize("level", ["critical", "high"])
@pytest.mark.parametrize("pattern", ["velocity", "structuring"])
def test_choosing_a_level_and_a_pattern_narrows_the_panels(
    db: Store, level: str, pattern: str
) -> None:
    """Panels that use a variable show only what was chosen, and less than all."""
    span = show_panels.whole_range(db)
    everything, chosen = (
        dashboards.choices(DASHBOARD),
        dashboards.choices(DASHBOARD, level=[level], pattern=[pattern]),
    )
    using = [q for q in QUERIES if re.search(r"\$(level|pattern)\b", q.sql)]
    assert len(using) >= 5
    for query in using:
        columns, rows = show_panels.ask(db, query, span, chosen)
        _, all_rows = show_panels.ask(db, query, span, everything)
        assert rows != all_rows, query.title
        for name, value in (
            ("level", level),
            ("risk_level", level),
            ("pattern", pattern),
            ("metric", pattern),
        ):
            if name in columns:
                assert {row[columns.index(name)] for row in rows} <= {value}, query.title


def test_several_choices_are_quoted_each() -> None:
    """A value with a quote in it cannot leave its literal."""
    chosen = dashboards.choices(DASHBOARD, pattern=["velocity", "o'clock"])
    assert chosen["pattern"] == "'velocity','o''clock'"
    assert chosen["level"] == "'*'"


def test_time_filters_stand_on_timestamps_with_a_zone(db: Store) -> None:
    """RisingWave refuses the literals of $__timeFilter for a TIMESTAMP."""
    kinds: dict[str, set[str]] = {}
    for view in VIEWS:
        for name, kind, *_ in db.execute(f"DESCRIBE {view}").fetchall():
            kinds.setdefault(name, set()).add(kind)
    filtered = {
        match[1].split(".")[-1]
        for q in QUERIES
        for match in re.finditer(r"\$__timeFilter\(([^)]*)\)", q.sql)
    }
    assert filtered == {"occurred_at", "window_start", "window_end", "opened_at"}
    for name in filtered:
        assert kinds[name] == {"TIMESTAMP WITH TIME ZONE"}


@pytest.mark.parametrize("name", ["risk", "cases", "kpis", "fraud-rate"])
def test_the_questions_of_the_makefile_are_answered(name: QuestionName, db: Store) -> None:
    """`fraud ... --sql` prints one statement whose functions RisingWave is known to have."""
    sql = statement(name)
    [tree] = sqlglot.parse(sql, read="risingwave")
    assert isinstance(tree, exp.Select)
    assert complaints(tree) == []
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert f"fraud {name} --sql | $(ASK)" in makefile
    assert db.execute(show_panels.for_duckdb(sql, show_panels.whole_range(db))).fetchall()


# The expansion of macros


@pytest.mark.parametrize(
    ("sql", "becomes"),
    [
        ("$__timeFilter(t)", "t BETWEEN '2026-01-05T09:00:00Z' AND '2026-01-05T10:00:00Z'"),
        ("$__timeGroupAlias(t,'5m')", 'floor(extract(epoch from t)/300)*300 AS "time"'),
        ("$__timeGroup(t,$__interval)", "floor(extract(epoch from t)/10)*10"),
        ("$__time(t)", 't AS "time"'),
        ("$__unixEpochFilter(t)", "t >= 1767603600 AND t <= 1767607200"),
        ("$__interval_ms", "10000"),
        # As in Grafana: a macro's arguments end at the first bracket.
        ("$__timeFilter(f(t))", "f(t BETWEEN '2026-01-05T09:00:00Z' AND '2026-01-05T10:00:00Z')"),
    ],
)
def test_macros_expand_as_in_grafana(sql: str, becomes: str) -> None:
    """The rules of the PostgreSQL data source."""
    assert expand(sql, SPAN) == becomes


@pytest.mark.parametrize("sql", ["$__timeWindow(t)", "WHERE level IN ($level)", "price > $5"])
def test_what_grafana_would_not_expand_is_an_error(sql: str) -> None:
    """An unknown macro, a variable where there is none, a stray dollar sign."""
    with pytest.raises(MacroError):
        expand(sql, SPAN)


# Alert rules


def alert_findings(rules: list[dict[str, Any]]) -> list[str]:
    """What would keep an alert from firing, or Grafana from starting."""
    found = []
    panel_ids = {panel["id"] for panel in PANELS}
    for rule in rules:
        title = rule["title"]
        if (
            missing := {"uid", "condition", "data", "for", "noDataState", "execErrState"}
            - rule.keys()
        ):
            found.append(f"{title}: lacks {missing}")
            continue
        ids = [step["refId"] for step in rule["data"]]
        if rule["condition"] not in ids:
            found.append(f"{title}: condition {rule['condition']} is no step")
        for step in rule["data"]:
            before = ids[: ids.index(step["refId"])]
            if step["datasourceUid"] == "__expr__" and step["model"]["expression"] not in before:
                found.append(f"{title}: {step['refId']} reads a step that does not come before it")
            if "rawSql" in step["model"] and step["model"]["format"] != "time_series":
                found.append(f"{title}: an alert query must be a time series")
            if step["model"]["refId"] != step["refId"]:
                found.append(f"{title}: refId differs inside the model")
        if rule["dashboardUid"] != DASHBOARD["uid"] or rule["panelId"] not in panel_ids:
            found.append(f"{title}: its panel does not exist")
        if any(re.search(r"(?<!\$)\$(?!\$)", str(value)) for value in rule["labels"].values()):
            found.append(f"{title}: a dollar sign in a label must be doubled")
    return found


def test_the_three_alerts_are_sound() -> None:
    """Critical account, fraud rate jump, stale pipeline."""
    assert [rule["uid"] for rule in RULES] == [
        "fraud-critical-account", "fraud-rate-jump", "fraud-pipeline-stale",
    ]  # fmt: skip
    assert alert_findings(RULES) == []


@pytest.mark.parametrize(
    "damage",
    [
        {"condition": "D"},
        {"panelId": 99},
        {"labels": {"account": "{{ $labels.account_id }}"}},
        {"dashboardUid": "other"},
    ],
)
def test_a_broken_alert_is_found(damage: dict[str, Any]) -> None:
    """Each of these would fail silently in Grafana."""
    assert alert_findings([{**RULES[0], **damage}])


def test_alerts_fire_when_they_should(db: Store) -> None:
    """The value that a rule compares is over its limit in the state it is meant for."""
    span = show_panels.whole_range(db)
    limits = {
        rule["title"]: rule["data"][-1]["model"]["conditions"][0]["evaluator"]["params"][0]
        for rule in RULES
    }
    alerts = {query.title: query for query in QUERIES if query.owner == "alert"}
    _, rows = show_panels.ask(db, alerts["Critical account"], span, {})
    assert rows and all(row[-1] > limits["Critical account"] for row in rows)
    _, [row] = show_panels.ask(db, alerts["Stale pipeline"], span, {})
    assert 0 <= row[-1] <= 60 < limits["Stale pipeline"]
    later = Range(span.start, span.end.replace(minute=(span.end.minute + 5) % 60))
    _, [row] = show_panels.ask(db, alerts["Stale pipeline"], later, {})
    assert row[-1] > limits["Stale pipeline"]
    _, [row] = show_panels.ask(db, alerts["Fraud rate jump"], span, {})
    assert abs(row[-1]) < limits["Fraud rate jump"]


# Showing and asking


def test_show_panels_prints_every_query(db: Store, capsys: pytest.CaptureFixture[str]) -> None:
    """The committed command shows each title, its SQL and rows, and is content."""
    assert show_panels.show(db, 2) == 0
    shown = capsys.readouterr().out
    for query in QUERIES:
        assert query.title in shown and query.sql in shown


def test_show_panels_complains_of_an_empty_panel(
    db: Store,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A panel without rows, or with a column that is not there, makes the exit code 1."""
    for old, new in (("flagged > 0", "flagged < 0"), ("declined_pct", "refused_pct")):
        text = json.dumps(DASHBOARD).replace(old, new)
        monkeypatch.setattr(show_panels, "load", lambda text=text: json.loads(text))
        assert show_panels.show(db, 1) == 1
        assert "Merchants" in capsys.readouterr().err


def test_grafana_is_asked_with_variables_filled_and_macros_left() -> None:
    """The browser fills variables, the server expands macros."""
    [query] = [q for q in QUERIES if q.title == "Signals by pattern"]
    body = ask_grafana.request_body(query, dashboards.choices(DASHBOARD), SPAN.end)
    sql = body["queries"][0]["rawSql"]
    assert "'*' IN ('*')" in sql and "$__timeFilter(occurred_at)" in sql and "$pattern" not in sql


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (
            {"results": {"A": {"frames": [{"data": {"values": [[1, 2], [3, 4]]}}]}}},
            (True, "2 rows"),
        ),
        ({"results": {"A": {"frames": [{"data": {"values": []}}]}}}, (True, "no rows")),
        ({"results": {"A": {"error": "no such column"}}}, (False, "no such column")),
        ({"message": "Unauthorized"}, (False, "Unauthorized")),
    ],
)
def test_grafanas_answers_are_understood(
    answer: dict[str, Any], expected: tuple[bool, str]
) -> None:
    """Rows, no rows, an error of the query, an error of the request."""
    assert ask_grafana.outcome(answer) == expected
