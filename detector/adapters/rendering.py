"""The dbt models as SQL for DuckDB, rendered here: without dbt, which takes seconds to start.

Models and macros are Jinja templates. What they use of dbt is little, and is below; a test compares
every query with what dbt itself compiles.
"""

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import lru_cache, partial
from graphlib import TopologicalSorter
from pathlib import Path
from types import CodeType, SimpleNamespace
from typing import Any

from jinja2 import Environment, Template, TemplateError

from detector.core.data import JsonObject
from detector.core.errors import InputError
from detector.signals.loading import DEFAULT_PATH
from detector.signals.rules import Rules

PROJECT = DEFAULT_PATH.parent
DATABASE = "fraud"
_ONLY_ON_RISINGWAVE = "sources"
_MACRO = re.compile(r"({%-?\s*macro\s+)(\w+)")


@dataclass(frozen=True)
class Model:
    """One rendered model: its name, its query and the models that it reads."""

    name: str
    sql: str
    reads: frozenset[str]


@dataclass(frozen=True)
class RenderedProject:
    """The models, each after those it reads."""

    models: list[Model]

    def needed_for(self, names: Collection[str]) -> list[Model]:
        """These models and everything they read, in order."""
        wanted = set(names)
        for model in reversed(self.models):
            if model.name in wanted:
                wanted |= model.reads
        return [model for model in self.models if model.name in wanted]


class _Returned(Exception):
    """A macro ends with a value that is no text."""

    def __init__(self, value: object) -> None:
        self.value = value


def rendered(
    rules: Rules,
    project: Path = PROJECT,
    database: str = DATABASE,
    typed: Collection[str] = (),
) -> RenderedProject:
    """The models with these rules, each after those it reads, as they are named in a database.

    `typed` are the streams whose raw tables `dbt_models.load` has filled with typed values.
    Raises `InputError` for a project whose models or macros do not render.
    """
    sql: dict[str, str] = {}
    reads: dict[str, set[str]] = {}
    try:
        path = project / "macros"
        context = _Context(
            {**variables(rules), "typed_streams": typed},
            database,
            [p.read_text("utf-8") for p in sorted(path.rglob("*.sql"))],
        )
        for path in sorted((project / "models").rglob("*.sql")):
            if path.parent.name != _ONLY_ON_RISINGWAVE:
                query = context.render(path.stem, path.read_text("utf-8"))
                if context.enabled:
                    sql[path.stem], reads[path.stem] = query, context.reads
    except TemplateError as error:
        raise InputError(f"{path} does not render: {error}") from error
    order = TopologicalSorter({name: reads[name] & sql.keys() for name in sql}).static_order()
    return RenderedProject([Model(name, sql[name], frozenset(reads[name])) for name in order])


def variables(rules: Rules) -> JsonObject:
    """The rules as the `vars` of a dbt project, with multiples of amounts resolved."""
    found: JsonObject = _plain(rules.model_dump(mode="json", by_alias=True, exclude_none=True))
    for block in found["patterns"].values():
        for test in block["where"]:
            test.pop("of", None)
    for block in found["lists"].values():
        for entry in block["entries"]:
            entry.pop("added_by", None)
    return found


def _plain(value: Any) -> Any:
    """Whole numbers without a decimal point, as one writes them."""
    if isinstance(value, dict):
        return {name: _plain(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


class _Context:
    """What templates use of dbt, and what they said of the model at hand."""

    def __init__(self, given: JsonObject, database: str, macros: list[str]) -> None:
        self.enabled = True
        self.reads: set[str] = set()
        self._vars = given
        self._database = database
        self._model = SimpleNamespace(name="")
        self._templates = _environment()
        self._names = self._templates.globals
        self._names |= {
            "adapter": SimpleNamespace(dispatch=self._dispatch),
            "config": self._config,
            "env_var": lambda _, default: default,
            "exceptions": SimpleNamespace(raise_compiler_error=_refuse),
            "model": self._model,
            "modules": SimpleNamespace(re=re),
            "ref": self._ref,
            "return": _return,
            "source": lambda _, name: self._relation(name),
            "target": SimpleNamespace(type="duckdb"),
            "this": "",
            "var": lambda name, default=None: self._vars.get(name, default),
        }
        # Each has another name in its own file: there, too, a call is to catch what is returned.
        self._macros: dict[str, Callable[..., object]] = {}
        for text in macros:
            for _, name in _MACRO.findall(text):
                self._names[name] = partial(self._call, f"macro_{name}")
        for text in macros:
            self._macros |= vars(self._template(_MACRO.sub(r"\1macro_\2", text)).module)

    def render(self, name: str, text: str) -> str:
        """The query of a model."""
        self.enabled, self.reads, self._model.name = True, set(), name
        return self._template(text).render().strip()

    def _template(self, text: str) -> Template:
        return Template.from_code(self._templates, _compiled(text), self._templates.globals)

    def _call(self, name: str, *values: object, **named: object) -> object:
        try:
            return self._macros[name](*values, **named)
        except _Returned as returned:
            return returned.value

    def _config(self, enabled: bool = True, **_: object) -> str:
        self.enabled = enabled
        return ""

    def _ref(self, name: str) -> str:
        self.reads.add(name)
        return self._relation(name)

    def _relation(self, name: str) -> str:
        return f'"{self._database}"."main"."{name}"'

    def _dispatch(self, name: str, _: str) -> Any:
        return self._names.get(f"duckdb__{name}") or self._names[f"default__{name}"]


def _environment() -> Environment:
    return Environment(extensions=["jinja2.ext.do"], autoescape=False)


@lru_cache(maxsize=1_000)
def _compiled(text: str) -> CodeType:
    """The code of a template: most of the time of rendering, and the same for all rules."""
    return _environment().compile(text)


def _return(value: object) -> None:
    raise _Returned(value)


def _refuse(message: str) -> None:
    raise TemplateError(message)
