"""What RisingWave refuses, or reads otherwise, though dbt and sqlglot accept it.

The rules follow its planner and binder at v3.0.3; each names what to write instead.
"""

import re
from collections.abc import Callable, Iterator

from sqlglot import exp, parse_one
from sqlglot.optimizer.annotate_types import annotate_types
from sqlglot.optimizer.qualify import qualify

Schema = dict[str, dict[str, dict[str, dict[str, str]]]]
"""Database, schema, relation, column: type."""

# Functions of RisingWave that these models use; anything else has to be looked up first.
FUNCTIONS = {
    "any", "array", "array_agg", "array_distinct", "array_length", "array_remove",
    "array_sort", "asin", "ceil", "exp", "greatest", "ln", "lower", "nullif", "replace",
    "split_part", "str_position",
    "cast", "case", "coalesce", "concat_ws", "convert_from", "cos", "count", "explode",
    "extract", "first_value", "floor", "hop", "jsonb_build_object", "jsonb_typeof", "lag", "least",
    "left", "length", "max", "md5", "min", "now", "power", "radians", "regexp_like", "right",
    "round", "row_number", "sin", "sqrt", "string_agg", "substring", "sum", "trunc", "tumble",
    "unnest",
}  # fmt: skip
ALIASES = {
    "array_concat_agg": "array_agg", "argmax": "arg_max", "array_size": "array_length",
    "current_timestamp": "now", "group_concat": "string_agg",
    "if": "case", "json_object": "jsonb_build_object", "pow": "power", "try_cast": "try_cast",
    "sort_array": "array_sort", "dpipe": "concat", "md5_digest": "md5",
}  # fmt: skip
UNITS = re.compile(r"^\d+ (microseconds?|milliseconds?|seconds?|minutes?|hours?|days?|months?)$")
BANNED_TYPES = {"uuid", "json", "tinyint", "enum", "serial", "char", "nchar", "blob", "hugeint"}
OPERATORS = (
    exp.And, exp.Or, exp.Case, exp.If, exp.Cast, exp.Exists, exp.JSONExtract, exp.JSONExtractScalar,
)  # fmt: skip
ORDERED_ONLY = (exp.RowNumber, exp.Lag, exp.Lead)
TEXT = {"VARCHAR", "TEXT", "CHAR", "NVARCHAR"}
WHOLE = {"INT", "BIGINT", "SMALLINT"}


def lint(sql: str, schema: Schema | None = None) -> list[str]:
    """What RisingWave would refuse or misread in a query; with a schema, types are checked too."""
    tree = parse_one(sql, dialect="risingwave")
    found = [message for rule in (*RULES, *STREAM_RULES) for message in rule(tree)]
    found += [f"QUALIFY: {q}; filter in a subquery" for q in _texts(tree, exp.Qualify)]
    found += list(_raw(sql))
    if schema is not None:
        found += list(_types(tree, schema))
    return found


def lint_statement(sql: str) -> list[str]:
    """What RisingWave would refuse in a statement that is asked once, such as a page's query."""
    tree = parse_one(sql, dialect="risingwave")
    return [message for rule in RULES for message in rule(tree)] + list(_raw(sql))


def _types_have_no_length(tree: exp.Expr) -> Iterator[str]:
    for kind in tree.find_all(exp.DataType):
        name = kind.sql("postgres").lower()
        base = name.split("(")[0].strip()
        if kind.expressions and base in {"decimal", "numeric", "varchar", "char", "bpchar"}:
            yield f"{name}: types have no length or precision; write {base}"
        elif base in BANNED_TYPES:
            yield f"{name}: there is no such type"


def _windows_are_plain(tree: exp.Expr) -> Iterator[str]:
    for window in tree.find_all(exp.Window):
        text = window.sql("risingwave")
        call = window.this
        if isinstance(call, exp.Filter) or call.find(exp.Filter):
            yield f"{text}: no FILTER in OVER; use sum(case when ...)"
        if call.find(exp.Distinct):
            yield f"{text}: no DISTINCT in OVER; use array_distinct(array_agg(...) over ...)"
        if call.find(exp.Order):
            yield f"{text}: no ORDER BY inside a windowed call"
        if call.find(exp.IgnoreNulls) and not call.find(exp.FirstValue, exp.LastValue):
            yield f"{text}: IGNORE NULLS only with first_value and last_value"
        if isinstance(call, exp.Lag | exp.Lead) and call.args.get("default"):
            yield f"{text}: lag and lead have no default; use coalesce"
        if not window.args.get("partition_by"):
            yield f"{text}: a stream needs PARTITION BY"
        order, spec = window.args.get("order"), window.args.get("spec")
        if isinstance(call, ORDERED_ONLY):
            if not order:
                yield f"{text}: needs ORDER BY"
        elif order and not spec:
            yield f"{text}: write the frame, the default is ROWS here and RANGE elsewhere"
        frame = str(spec.args.get("kind")).upper() if spec else ""
        if frame == "GROUPS":
            yield f"{text}: there are no GROUPS frames"
        if spec and frame == "RANGE":
            if not order or len(order.expressions) != 1:
                yield f"{text}: a RANGE frame has exactly one ORDER BY column"
            for interval in spec.find_all(exp.Interval):
                if re.search("day|week|month|year", interval.sql("risingwave"), re.IGNORECASE):
                    yield f"{text}: no days or months in a RANGE over TIMESTAMPTZ; write hours"


def _windows_stand_in_select(tree: exp.Expr) -> Iterator[str]:
    for clause in tree.find_all(exp.Where, exp.Having, exp.Group):
        for window in clause.find_all(exp.Window):
            if window.find_ancestor(exp.Select) is clause.parent:
                yield f"{window.sql('risingwave')}: over-windows stand in SELECT only"


def _now_bounds_rows(tree: exp.Expr) -> Iterator[str]:
    for now in tree.find_all(exp.CurrentTimestamp):
        clause = now.find_ancestor(exp.Where, exp.Having, exp.Join, exp.Select)
        if isinstance(clause, exp.Select):
            yield "now(): only in WHERE, HAVING, ON or FROM of a stream"
            continue
        test = now.find_ancestor(exp.GT, exp.GTE, exp.LT, exp.LTE, exp.EQ, exp.Between)
        if test is None or len(list(test.find_all(exp.CurrentTimestamp))) != 1:
            yield "now(): exactly once, on one side of a comparison"
        elif now.find_ancestor(exp.Or):
            yield f"{test.sql('risingwave')}: combine now() with AND only"


def _calls_are_known(tree: exp.Expr) -> Iterator[str]:
    for call in tree.find_all(exp.Func):
        if isinstance(call, OPERATORS):
            if isinstance(call, exp.TryCast):
                yield f"{call.sql('risingwave')}: a stream casts to null by itself; write cast"
            continue
        name = (call.name if isinstance(call, exp.Anonymous) else call.sql_name()).lower()
        name = ALIASES.get(name, name)
        if name not in FUNCTIONS:
            yield f"{name}(): not known to be a function of RisingWave; look it up, then list it"


def _intervals_are_literals(tree: exp.Expr) -> Iterator[str]:
    for interval in tree.find_all(exp.Interval):
        unit = interval.args.get("unit")
        text = interval.this.name if isinstance(interval.this, exp.Literal) else None
        whole = f"{text} {unit.name.lower()}" if unit is not None and text else text
        if whole is None or not UNITS.match(whole):
            yield f"{interval.sql()}: write interval '60 seconds'"


def _joins_have_equalities(tree: exp.Expr) -> Iterator[str]:
    for join in tree.find_all(exp.Join):
        text = join.sql("risingwave")
        on = join.args.get("on")
        parts = list(on.flatten()) if isinstance(on, exp.And) else [on] if on else []
        if not any(isinstance(p, exp.EQ) for p in parts) and not join.args.get("using"):
            yield f"{text}: a streaming join needs an equality"
        if str(join.args.get("method") or "").upper() == "ASOF":
            others = [p for p in parts if not isinstance(p, exp.EQ)]
            ordered = (exp.GT, exp.GTE, exp.LT, exp.LTE)
            if len(others) != 1 or not isinstance(others[0], ordered):
                yield f"{text}: ASOF takes exactly one inequality"


def _columns_have_names(tree: exp.Expr) -> Iterator[str]:
    for select in tree.find_all(exp.Select):
        names = [item.alias_or_name for item in select.expressions]
        for item, name in zip(select.expressions, names, strict=True):
            inside = isinstance(select.parent, exp.Exists | exp.Binary | exp.In)
            if not name and not item.is_star and not inside and not _is_scalar(select):
                yield f"{item.sql('risingwave')}: give it a name"
        for name in {n for n in names if n and n != "*" and names.count(n) > 1}:
            yield f"{name}: two columns of one name"


def _is_scalar(select: exp.Expr) -> bool:
    return isinstance(select.parent, exp.Subquery) and not isinstance(
        select.parent.parent, exp.From | exp.Join
    )


def _time_windows_take_names(tree: exp.Expr) -> Iterator[str]:
    bodies = {cte.alias: cte.this for cte in tree.find_all(exp.CTE)}
    for call in tree.find_all(exp.Anonymous):
        if call.name.lower() not in {"tumble", "hop"}:
            continue
        text = call.sql("risingwave")
        source = call.expressions[0]
        if not isinstance(source, exp.Column | exp.Identifier | exp.Dot | exp.Table):
            yield f"{text}: the first argument is a name; put the query in a CTE"
            continue
        body = bodies.get(source.name)
        if body is not None:
            columns = {item.alias_or_name for item in body.expressions}
            if columns & {"*", "window_start", "window_end"}:
                yield f"{text}: its input may not have window_start; name the input's columns"
        if call.name.lower() == "hop":
            slide, size = (int(i.this.name.split()[0]) for i in call.expressions[2:4])
            if size % slide:
                yield f"{text}: the size is no multiple of the slide"


def _nulls_in_unions_are_cast(tree: exp.Expr) -> Iterator[str]:
    for union in tree.find_all(exp.SetOperation):
        for arm in (union.left, union.right):
            if isinstance(arm, exp.Select):
                for item in arm.expressions:
                    if isinstance(item.unalias(), exp.Null):
                        yield f"{item.sql('risingwave')}: cast every NULL in an arm of a union"


def _unnest_stands_apart_in_unions(tree: exp.Expr) -> Iterator[str]:
    for union in tree.find_all(exp.SetOperation):
        for arm in (union.left, union.right):
            if not isinstance(arm, exp.Select):
                continue
            for item in arm.expressions:
                if isinstance(item.unalias(), exp.Explode | exp.Unnest):
                    yield f"{item.sql('risingwave')}: unnest in a subquery; 2.4 panics in a union"


def _keywords_in_set_are_quoted(tree: exp.Expr) -> Iterator[str]:
    for update in tree.find_all(exp.Update):
        for change in update.expressions:
            name = change.this.find(exp.Identifier)
            if name is not None and not name.args.get("quoted"):
                yield f"{change.sql('risingwave')}: quote the columns of SET, owner is a keyword"


def _raw(sql: str) -> Iterator[str]:
    """What the parser would tidy away."""
    code = re.sub(r"--[^\n]*|'(?:[^']|'')*'", "''", sql)
    if re.search(r"\binterval\s+[^'\s]", code, re.IGNORECASE):
        yield "interval: quote it whole, as in interval '60 seconds'"
    if re.search(r"\bany_value\s*\(", code, re.IGNORECASE):
        yield "any_value(): use max or first_value"
    if re.search(r"\barg_max\s*\(", code, re.IGNORECASE):
        yield "arg_max(): 2.4 has none; use first_value(x ORDER BY y DESC)"
    if re.search(r"\bdeallocate\b", code, re.IGNORECASE):
        yield "DEALLOCATE: 2.4 refuses it"
    if re.search(r"\bcurrent_timestamp\b", code, re.IGNORECASE):
        yield "current_timestamp: write now()"


RULES: tuple[Callable[[exp.Expr], Iterator[str]], ...] = (
    _types_have_no_length,
    _windows_stand_in_select,
    _calls_are_known,
    _intervals_are_literals,
    _time_windows_take_names,
    _nulls_in_unions_are_cast,
    _unnest_stands_apart_in_unions,
    _keywords_in_set_are_quoted,
)
STREAM_RULES = (_windows_are_plain, _now_bounds_rows, _joins_have_equalities, _columns_have_names)


def _types(tree: exp.Expr, schema: Schema) -> Iterator[str]:
    """Comparisons of text with what is not, divisions that would truncate, rounding of doubles."""
    typed = annotate_types(
        qualify(
            _without_time_windows(tree.copy()),
            schema=dict(schema),
            dialect="risingwave",
            validate_qualify_columns=False,
            quote_identifiers=False,
        ),
        schema=dict(schema),
        dialect="risingwave",
    )
    for test in typed.find_all(exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.In):
        sides = [test.this, *(test.expressions if isinstance(test, exp.In) else [test.expression])]
        kinds = [_kind(side) for side in sides if side is not None]
        known = {kind == "text" for kind in kinds if kind not in {None, "literal text"}}
        texts = "literal text" in kinds and any(k in {"number", "flag"} for k in kinds)
        if len(known) > 1 or texts:
            yield f"{test.sql('risingwave')}: text never becomes another type by itself; cast it"
    for division in typed.find_all(exp.Div):
        # EXTRACT gives a numeric here, whatever sqlglot takes it for.
        if division.find(exp.Extract):
            continue
        if {_name(division.this), _name(division.expression)} <= WHOLE:
            yield f"{division.sql('risingwave')}: whole numbers divide to whole numbers; cast one"
    for call in typed.find_all(exp.Round):
        if call.args.get("decimals") and _has_double(call.this):
            yield f"{call.sql('risingwave')}: only numerics round to places; cast it"


def _without_time_windows(tree: exp.Expr) -> exp.Expr:
    """TUMBLE and HOP as the relation they read with two further columns."""
    for call in list(tree.find_all(exp.Anonymous)):
        if call.name.lower() in {"tumble", "hop"}:
            source = call.expressions[0].sql("risingwave")
            windowed = parse_one(
                "select * from (select *, cast(null as timestamptz) as window_start, "
                f"cast(null as timestamptz) as window_end from {source}) as windowed",
                dialect="risingwave",
            )
            relation = next(windowed.find_all(exp.Subquery))
            (call.find_ancestor(exp.Table) or call).replace(relation)
    return tree


def _name(node: exp.Expr) -> str:
    kind = node.unnest().type
    return kind.this.name if kind is not None else "UNKNOWN"


def _kind(node: exp.Expr) -> str | None:
    """A coarse type; None where it is not known."""
    node = node.unnest()
    name = _name(node)
    if isinstance(node, exp.Any | exp.Null) or name in {"UNKNOWN", "NULL", "ARRAY"}:
        return None
    if isinstance(node, exp.Literal) and node.is_string:
        return "literal text"
    if name in TEXT:
        return "text"
    if name.startswith("TIMESTAMP") or name in {"DATE", "INTERVAL"}:
        return "time"
    return "flag" if name == "BOOLEAN" else "number"


def _has_double(node: exp.Expr) -> bool:
    """Whether a number comes from a double; literals with a point are numerics here."""
    if isinstance(node, exp.Cast):
        return _name(node) in {"DOUBLE", "FLOAT"}
    if isinstance(node, exp.Column):
        return _name(node) in {"DOUBLE", "FLOAT"}
    return any(_has_double(child) for child in node.iter_expressions())


def _texts(tree: exp.Expr, kind: type[exp.Expr]) -> Iterator[str]:
    return (node.sql("risingwave") for node in tree.find_all(kind))
