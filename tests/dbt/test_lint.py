"""The linter refuses each thing that RisingWave would, and lets pass what stands beside it."""

import pytest

from tests.dbt.lint import Schema, lint

SCHEMA: Schema = {
    "dev": {
        "public": {
            "t": {
                "k": "varchar",
                "ts": "timestamptz",
                "n": "bigint",
                "m": "bigint",
                "d": "double precision",
                "q": "numeric",
                "ok": "boolean",
            }
        }
    }
}
W = "partition by k order by ts"
RANGE = "range between interval '60 seconds' preceding and current row"

REFUSED = {
    "a precision": "select cast(q as numeric(10, 2)) as q from t",
    "a length": "select cast(k as varchar(5)) as k from t",
    "a type that does not exist": "select cast(k as uuid) as k from t",
    "DISTINCT over a window": f"select count(distinct k) over ({W} {RANGE}) as c from t",
    "FILTER over a window": f"select count(*) filter (where ok) over ({W} {RANGE}) as c from t",
    "a window without partition": f"select count(*) over (order by ts {RANGE}) as c from t",
    "a window without frame": f"select count(*) over ({W}) as c from t",
    "days in a range": (
        f"select count(*) over ({W} range between interval '1 day' preceding and current row) "
        "as c from t"
    ),
    "two columns in a range": (
        f"select count(*) over (partition by k order by ts, n {RANGE}) as c from t"
    ),
    "lag with a default": f"select lag(n, 1, 0) over ({W}) as p from t",
    "QUALIFY": f"select k from t qualify row_number() over ({W}) = 1",
    "a window in WHERE": f"select k from t where row_number() over ({W}) = 1",
    "now() in SELECT": "select k, now() as at from t",
    "now() twice": "select k from t where ts between now() - interval '60 seconds' and now()",
    "now() under OR": "select k from t where ts > now() or ok",
    "an interval with unquoted number": "select ts - interval 5 minute as x from t",
    "an unknown function": "select list_sort(k) as x from t",
    "any_value": "select any_value(k) as k from t",
    "try_cast": "select try_cast(k as bigint) as n from t",
    "a join without equality": "select t.k from t join t as u on t.ts < u.ts",
    "ASOF with two inequalities": (
        "select t.k from t asof left join t as u on t.k = u.k and u.ts <= t.ts and u.n < t.n"
    ),
    "a column without a name": "select max(n) + 1 from t",
    "two columns of one name": "select k, n as k from t",
    "tumbling a query": "select k from tumble((select * from t), ts, interval '60 seconds')",
    "tumbling what may have a window": (
        "with x as (select * from t) select k from tumble(x, ts, interval '60 seconds')"
    ),
    "a bare NULL in a union": "select k, null as n from t union all select k, n from t",
    "unnest in a union": "select k from t union all select unnest(array[k]) as k from t",
    "arg_max": "select arg_max(k, ts) as k from t",
    "a keyword in SET": "update t set owner = 'x' where k = 'y'",
    "hops that do not fit": (
        "select k from hop(t, ts, interval '7 seconds', interval '60 seconds')"
    ),
    "text against a time": "select k from t where k < ts",
    "text against a number": "select k from t where n = '5'",
    "a truncating division": "select n / m as r from t",
    "rounding a double": "select round(d, 1) as r from t",
}

ACCEPTED = {
    "types without length": "select cast(k as numeric) as q, cast(q as varchar) as k from t",
    "a range of seconds": f"select count(*) over ({W} {RANGE}) as c from t",
    "a sum of cases": f"select sum(case when ok then 1 else 0 end) over ({W} {RANGE}) as c from t",
    "lag by two columns": "select lag(n) over (partition by k order by ts, n) as p from t",
    "the first in a subquery": (
        f"select k from (select k, row_number() over ({W}) as place from t) as x where place = 1"
    ),
    "now() as a bound": "select k from t where ts > now() - interval '60 seconds' and ok",
    "a named window input": (
        "with x as (select k, ts from t) select k from tumble(x, ts, interval '60 seconds')"
    ),
    "ASOF with one inequality": (
        "select t.k from t asof left join t as u on t.k = u.k and u.ts <= t.ts"
    ),
    "a cast before dividing and rounding": (
        "select cast(n as numeric) / m as r, round(cast(d as numeric), 1) as s from t"
    ),
    "text against text": "select k from t where k = 'x' and ts > '2026-01-01'",
    "a numeric literal": "select round(100.0 * n / m, 2) as pct from t",
}


@pytest.mark.parametrize("what", REFUSED)
def test_it_refuses(what: str) -> None:
    """One message at least."""
    assert lint(REFUSED[what], SCHEMA)


@pytest.mark.parametrize("what", ACCEPTED)
def test_it_accepts(what: str) -> None:
    """No message."""
    assert lint(ACCEPTED[what], SCHEMA) == []
