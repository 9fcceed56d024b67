"""A condition as people write it in SQL, compiled for the engine.

What is understood: `and`, `or`, `not`, comparisons, `in`, also a named list's (`in list('name')`),
`between`, `like` with `%`, `is null` and columns that are true or false. As in a WHERE clause, a
comparison with null is not met.
"""

from collections.abc import Callable, Iterator
from functools import cached_property
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, Field, field_validator

from detector.signals.lists import MENTION, NamedList

if TYPE_CHECKING:
    from sqlglot import exp

DECIMALS = {"amount", "base_amount"}
NUMBERS = DECIMALS | {"latitude", "longitude", "confidence"}
BOOLEANS = {"card_present", "is_pep"}
_OTHERS = {"occurred_at", "account_ids", "registered_device_ids"}
_OPPOSITE = {"EQ": "NEQ", "NEQ": "EQ", "LT": "GTE", "GTE": "LT", "GT": "LTE", "LTE": "GT"}
_SIGNS = {"EQ": "==", "NEQ": "!=", "LT": "<", "GTE": ">=", "GT": ">", "LTE": "<="}


class Predicate(BaseModel):
    """One condition over the columns of a stream, in SQL that all engines share.

    `lists` are those that it asks about; `Rules` says what they contain.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    sql: str = Field(min_length=1, max_length=2000)
    lists: dict[str, NamedList] = Field(default_factory=dict, exclude=True)

    @field_validator("sql")
    @classmethod
    def _is_understood(cls, text: str) -> str:
        tree = _parsed(text)
        _python(tree, negated=False)
        if len(MENTION.findall(text)) != sum(_list_name(node) is not None for node in tree.walk()):
            raise ValueError(f"{text!r} is not understood; write `column in list('name')`")
        return text

    @cached_property
    def asked(self) -> dict[str, set[str]]:
        """The lists that it asks about, each with the columns whose values it looks for there."""
        found: dict[str, set[str]] = {}
        for node in _parsed(self.sql).walk():
            if (name := _list_name(node)) is not None:
                found.setdefault(name, set()).add(node.this.name)
        return found

    @cached_property
    def fields(self) -> set[str]:
        """The columns that it reads."""
        return {column.name for column in _columns(_parsed(self.sql))}

    @cached_property
    def present(self) -> set[str]:
        """The columns that it requires not to be null, whatever else it says."""
        from sqlglot import exp

        tree = _parsed(self.sql)
        parts = tree.flatten() if isinstance(tree, exp.And) else [tree]
        found = set()
        for part in parts:
            test = part.unnest()
            if isinstance(test, exp.Not) and isinstance(inner := test.this.unnest(), exp.Is):
                found.add(inner.this.name)
        return found

    @cached_property
    def python(self) -> str:
        """The same as an expression over `event` and `names`; safe to evaluate, as it is built from
        names of columns and `repr` of plain values only.
        """
        return _python(_parsed(self.sql), negated=False)

    @cached_property
    def names(self) -> dict[str, Callable[..., bool]]:
        """What `python` calls: for each list, whether it holds a value at a time."""
        return {_function(name): self.lists[name].holds for name in self.asked}

    def over(self, alias: str) -> str:
        """The condition over the columns of a table."""
        from sqlglot import exp

        tree = _parsed(self.sql)
        if alias:
            for column in list(_columns(tree)):
                column.set("table", exp.to_identifier(alias))
        time = f"{alias}.occurred_at" if alias else "occurred_at"

        def written(node: exp.Expr) -> exp.Expr:
            name = _list_name(node)
            if name is None:
                return node
            return exp.var(self.lists[name].sql(_text(node.this), time))

        return f"({tree.transform(written).sql(dialect='duckdb')})"


def _parsed(text: str) -> "exp.Expr":
    from sqlglot import ParseError, TokenError, parse_one

    try:
        tree = parse_one(text, dialect="duckdb")
    except (ParseError, TokenError) as error:
        raise ValueError(f"{text!r} is not a condition in SQL: {error}") from None
    if any(node.comments for node in tree.walk()):
        raise ValueError("a condition has no comments; YAML has them: # ...")
    return tree


def _columns(tree: "exp.Expr") -> "Iterator[exp.Column]":
    from sqlglot import exp

    return tree.find_all(exp.Column)


def _python(node: "exp.Expr", negated: bool) -> str:
    """Negations are carried to the comparisons, which nulls never meet: as in three-valued logic.

    Raises `ValueError` with the part that is not understood.
    """
    from sqlglot import exp

    compile_one: dict[type, Callable[[Any, bool], str]] = {
        exp.In: _in,
        exp.Between: _between,
        exp.Like: _like,
        exp.Is: _is,
        exp.Column: _flag,
    }
    if isinstance(node, exp.Paren):
        return _python(node.this, negated)
    if isinstance(node, exp.Not):
        return _python(node.this, not negated)
    if isinstance(node, exp.And | exp.Or):
        word = "and" if isinstance(node, exp.And) != negated else "or"
        return f"({_python(node.left, negated)} {word} {_python(node.right, negated)})"
    if type(node).__name__ in _SIGNS:
        return _comparison(node, negated)
    if type(node) in compile_one:
        return compile_one[type(node)](node, negated)
    raise ValueError(
        f"{_text(node)!r} is not understood; a condition has and, or, not, =, <>, <, <=, >, >=, "
        "in, between, like and is null"
    )


def _comparison(node: Any, negated: bool) -> str:
    name = type(node).__name__
    sign = _SIGNS[_OPPOSITE[name] if negated else name]
    left, right = node.left.unnest(), node.right.unnest()
    kinds = {_kind(left), _kind(right)}
    if len(kinds) > 1:
        raise ValueError(f"{_text(node)!r} compares {' with '.join(sorted(kinds))}")
    if kinds == {"true or false"} and sign not in ("==", "!="):
        raise ValueError(f"{_text(node)!r} orders what is true or false")
    return _known([left, right], f"{_value(left)} {sign} {_value(right)}")


def _in(node: Any, negated: bool) -> str:
    if (name := _list_name(node)) is not None:
        if _kind(node.this) != "text":
            raise ValueError(f"{_text(node)!r} looks for what is no text; lists hold texts")
        test = f"{_function(name)}({_value(node.this)}, event.occurred_at)"
        return _known([node.this], f"not {test}" if negated else test)
    values = [value.unnest() for value in node.expressions]
    if not values:
        raise ValueError(f"{_text(node)!r} is not understood; `in` takes a list of values")
    kinds = {_kind(node.this), *map(_kind, values)}
    if len(kinds) > 1 or any(_is_column(value) for value in values):
        raise ValueError(f"{_text(node)!r} needs values like its column")
    listed = ", ".join(map(_value, values))
    return _known([node.this], f"{_value(node.this)} {'not ' * negated}in ({listed},)")


def _list_name(node: Any) -> str | None:
    """The list of `column in list('name')`; None for anything else."""
    from sqlglot import exp

    listed = node.args.get("field") if isinstance(node, exp.In) else None
    if not isinstance(listed, exp.ArrayAgg):
        return None
    named = isinstance(listed.this, exp.Literal) and len(listed.args) == 1
    return str(listed.this.this) if named and _is_column(node.this) else None


def _function(name: str) -> str:
    return f"list_{name}"


def _between(node: Any, negated: bool) -> str:
    low, high = node.args["low"].unnest(), node.args["high"].unnest()
    if {_kind(node.this), _kind(low), _kind(high)} == {"true or false"} or len(
        {_kind(node.this), _kind(low), _kind(high)}
    ) > 1:
        raise ValueError(f"{_text(node)!r} needs bounds like its column")
    inside = f"{_value(low)} <= {_value(node.this)} <= {_value(high)}"
    return _known([node.this, low, high], f"not {inside}" if negated else inside)


def _like(node: Any, negated: bool) -> str:
    from sqlglot import exp

    pattern = node.expression.unnest()
    if not (isinstance(pattern, exp.Literal) and pattern.is_string) or _kind(node.this) != "text":
        raise ValueError(f"{_text(node)!r} is not understood; `like` compares text with a pattern")
    text = str(pattern.this)
    plain = text.strip("%")
    if any(sign in plain for sign in "%_\\") or len(text) - len(plain) > 2 or "%%" in text:
        raise ValueError(f"{_text(node)!r} is not understood; a pattern is 'a%', '%a' or '%a%'")
    value, start, end = _value(node.this), text.startswith("%"), text.endswith("%")
    if start and end:
        test = f"{plain!r} in {value}"
    elif start or end:
        test = f"{value}.{'endswith' if start else 'startswith'}({plain!r})"
    else:
        test = f"{value} == {plain!r}"
    return _known([node.this], f"not ({test})" if negated else test)


def _is(node: Any, negated: bool) -> str:
    from sqlglot import exp

    if not (_is_column(node.this) and isinstance(node.expression, exp.Null)):
        raise ValueError(f"{_text(node)!r} is not understood; write `is null` or `is not null`")
    return f"{_field(node.this)} is {'not ' * negated}None"


def _flag(node: Any, negated: bool) -> str:
    if _kind(node) != "true or false":
        raise ValueError(f"{node.name!r} alone is no condition; compare it with something")
    return _known([node], f"{_field(node)} == {not negated}")


def _known(nodes: list[Any], test: str) -> str:
    present = [f"{_field(node)} is not None" for node in nodes if _is_column(node)]
    return f"({' and '.join([*present, test])})"


def _is_column(node: Any) -> bool:
    from sqlglot import exp

    return isinstance(node, exp.Column)


def _field(node: Any) -> str:
    if node.table:
        raise ValueError(f"{_text(node)!r}: columns have no table")
    return f"event.{node.name}"


def _kind(node: Any) -> str:
    from sqlglot import exp

    if _is_column(node):
        if node.name in _OTHERS:
            raise ValueError(f"{node.name!r} cannot be compared in a condition")
        if node.name in NUMBERS:
            return "a number"
        return "true or false" if node.name in BOOLEANS else "text"
    if isinstance(node, exp.Boolean):
        return "true or false"
    if isinstance(node, exp.Literal):
        return "text" if node.is_string else "a number"
    if isinstance(node, exp.Neg) and isinstance(node.this, exp.Literal):
        return "a number"
    raise ValueError(f"{_text(node)!r} is not understood; compare columns and plain values")


def _value(node: Any) -> str:
    from sqlglot import exp

    if _is_column(node):
        # Amounts are decimal strings; floats keep their order.
        return f"float({_field(node)})" if node.name in DECIMALS else _field(node)
    if isinstance(node, exp.Neg):
        return f"-{float(node.this.this)!r}"
    if isinstance(node, exp.Boolean):
        return repr(bool(node.this))
    return repr(str(node.this)) if node.is_string else repr(float(node.this))


def _text(node: Any) -> str:
    return str(node.sql(dialect="duckdb"))
