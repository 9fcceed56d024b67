"""Conditions in SQL mean the same in the engine as in a database."""

import json
from collections.abc import Iterator
from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detector.adapters.rendering import PROJECT, _Context
from detector.core.errors import RulesError
from detector.core.events import Transaction, contract_fields
from detector.signals.changes import with_changes
from detector.signals.lists import NamedList
from detector.signals.predicate import Predicate
from detector.signals.rules import Rules
from detector.signals.select import key_where
from tests import build
from tests.build import SHIPPED

EVENTS = [
    build.in_base(
        build.transaction(
            n, f"acc-{n}", amount=f"{(n * 137) % 1000}.{n % 100:02}", event_id=f"e{n}",
            card_present=n % 2 == 0, channel=("POS", "MOBILE", "ATM")[n % 3],
            city=(None, "Sydney", "Perth", "it's", "event.amount")[n % 5],
            merchant_country=(None, "AU", "NZ")[n % 3],
            latitude=None if n % 4 == 0 else float(n - 20),
        )
    )
    for n in range(40)
]  # fmt: skip


@pytest.fixture(scope="module")
def table() -> Iterator[duckdb.DuckDBPyConnection]:
    """The events as a staging model has them."""
    with duckdb.connect() as db:
        db.execute(
            "CREATE TABLE e (event_id VARCHAR, amount DECIMAL(18, 2), base_amount DECIMAL(18, 2), "
            "card_present BOOLEAN, channel VARCHAR, city VARCHAR, merchant_country VARCHAR, "
            "latitude DOUBLE, occurred_at TIMESTAMPTZ)"
        )
        names = [row[0] for row in db.execute("DESCRIBE e").fetchall()]
        rows = [[getattr(event, name) for name in names] for event in EVENTS]
        db.executemany(f"INSERT INTO e VALUES ({', '.join('?' * len(names))})", rows)
        yield db


def quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


text_columns = st.sampled_from(["channel", "city", "merchant_country"])
texts = st.sampled_from(["AU", "NZ", "POS", "Sydney", "it's", "event.amount", ""]).map(quoted)
numbers = st.sampled_from(["amount", "base_amount", "latitude"])
amounts = st.sampled_from(["0", "137.01", "500", "-3.5", "999.39"])
signs = st.sampled_from(["=", "<>", "!=", "<", "<=", ">", ">="])
leaves = st.one_of(
    st.builds("{} {} {}".format, numbers, signs, amounts),
    st.builds("{} {} {}".format, amounts, signs, numbers),
    st.builds("{} {} {}".format, text_columns, signs, texts),
    st.builds("{} {} {}".format, text_columns, signs, text_columns),
    st.builds("amount {} latitude".format, signs),
    st.builds("{} in ({}, {})".format, text_columns, texts, texts),
    st.builds("{} not in ({}, {})".format, numbers, amounts, amounts),
    st.builds("{} between {} and {}".format, numbers, amounts, amounts),
    st.builds("{} like {}".format, text_columns, st.sampled_from(["'S%'", "'%th'", "'%e%'"])),
    st.builds("{} is null".format, st.one_of(text_columns, numbers)),
    st.builds("{} is not null".format, st.one_of(text_columns, numbers)),
    st.builds("{} in list({})".format, text_columns, st.sampled_from(["'places'", "'none'"])),
    st.builds("{} not in list('places')".format, text_columns),
    st.sampled_from(["card_present", "card_present = false", "card_present <> true"]),
)
predicates = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.builds("({} and {})".format, inner, inner),
        st.builds("({} or {})".format, inner, inner),
        st.builds("not ({})".format, inner),
    ),
    max_leaves=8,
)


LISTS = {
    "none": NamedList(title="Nothing", of=["city"]),
    "places": NamedList.model_validate(
        {
            "title": "Some values, some of them for a while",
            "of": ["city"],
            "entries": [
                "it's",
                {"value": "Perth", "since": build.moment(10)},
                {"value": "Sydney", "until": build.moment(20)},
                {"value": "POS", "since": build.moment(3), "until": build.moment(6)},
                {"value": "POS", "since": build.moment(30)},
            ],
        }
    ),
}


MACROS = _Context(
    {"lists": {name: found.model_dump(mode="json") for name, found in LISTS.items()}},
    "",
    [(PROJECT / "macros/patterns.sql").read_text("utf-8")],
)


def in_models(text: str) -> str:
    """The condition as the macros write it."""
    return MACROS.render("any", f"({{{{ with_lists({json.dumps(text)}) }}}})")


@settings(max_examples=4 * settings().max_examples)
@given(text=predicates)
def test_a_condition_means_the_same(table: duckdb.DuckDBPyConnection, text: str) -> None:
    """As written in the models, as the store asks it, and as compiled for the engine."""
    predicate = Predicate(sql=text, lists=LISTS)
    meets = eval(f"lambda event: {predicate.python}", dict(predicate.names))
    engine = {event.event_id for event in EVENTS if meets(event)}
    for where in (in_models(text), predicate.over(""), predicate.over("t")):
        rows = table.execute(f"SELECT event_id FROM e AS t WHERE {where}").fetchall()
        assert {row[0] for row in rows} == engine, where


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("amount >=", "is not a condition in SQL"),
        ("amount + 1 > 2", r"'amount \+ 1' is not understood; compare columns and plain values"),
        ("lower(city) = 'perth'", r"'LOWER\(city\)' is not understood"),
        ("amount > 'x'", "compares a number with text"),
        ("city", "'city' alone is no condition"),
        ("card_present > true", "orders what is true or false"),
        ("city like 'a_b'", "a pattern is 'a%'"),
        ("city in (select 1)", "`in` takes a list of values"),
        ("city in list('a', 'b')", "`in` takes a list of values"),
        ("city in list(channel)", "`in` takes a list of values"),
        ("'x' in list('places')", "`in` takes a list of values"),
        ("\"city\" in list('places')", "write `column in list"),
        ("amount in list('places')", "lists hold texts"),
        ("occurred_at > 5", "'occurred_at' cannot be compared"),
        ("amount > 1 -- more", "has no comments"),
        ("t.amount > 1", "columns have no table"),
        ("amount > 1; drop table x", "is not a condition in SQL|is not understood"),
        ("no_such_column = 'x'", r"fields \['no_such_column'\] not known"),
    ],
)
def test_what_cannot_be_compiled_is_named(text: str, message: str) -> None:
    """With the part that is not understood, at the key where it stands."""
    with pytest.raises(RulesError, match=rf"vars.patterns.velocity.*{message}"):
        with_changes(SHIPPED, "velocity", {"where": text})


def test_a_list_is_in_the_rules_and_of_the_column() -> None:
    """Else a misspelt name would never be noticed."""
    rules = SHIPPED.model_copy(update={"lists": {**SHIPPED.lists, **LISTS}})
    with pytest.raises(RulesError, match=r"velocity\.where asks about list 'nowhere'"):
        with_changes(rules, "velocity", {"where": "city in list('nowhere')"})
    with pytest.raises(RulesError, match="looks for channel in list 'places', which is of city"):
        with_changes(rules, "velocity", {"where": "not channel in list('places')"})


def with_where(where: Any) -> Rules:
    return with_changes(SHIPPED, "velocity", {"where": where})


def test_a_text_and_a_list_may_be_mixed() -> None:
    """One text is one condition; in a list it stands beside others."""
    alone = with_where("amount >= 500 and channel in ('MOBILE')").patterns["velocity"]
    listed = with_where(
        [{"field": "channel", "in": ["MOBILE"]}, {"sql": "amount >= 500"}]
    ).patterns["velocity"]
    for event in EVENTS:
        assert key_where(alone)(event) == key_where(listed)(event)
    assert {name for c in alone.where for name in c.fields} == {"amount", "channel"}


def test_what_must_be_present_is_known() -> None:
    """For operators that need a field; `or` promises nothing."""
    both = Predicate(sql="latitude is not null and (longitude is not null) and amount > 1")
    assert both.present == {"latitude", "longitude"}
    assert Predicate(sql="latitude is not null or amount > 1").present == set()


def test_every_column_of_a_stream_can_be_named() -> None:
    """All but the time, of which conditions say nothing."""
    for name in set(contract_fields("transactions")) - {"occurred_at"}:
        Predicate(sql=f"{name} is not null")
    assert Transaction.__struct_fields__
