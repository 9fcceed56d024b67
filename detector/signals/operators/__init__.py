"""The operators by name: each class is in a file of this folder."""

import pkgutil
from importlib import import_module

from detector.signals.operator import Operator


def _operator(module: str) -> type[Operator]:
    """The operator that a file of this folder defines."""
    found = import_module(f"{__name__}.{module}")
    [operator] = [
        kind
        for kind in vars(found).values()
        if isinstance(kind, type)
        and issubclass(kind, Operator)
        and kind.__module__ == found.__name__
    ]
    return operator


OPERATORS: dict[str, type[Operator]] = {
    operator.name: operator
    for operator in (_operator(module.name) for module in pkgutil.iter_modules(__path__))
}
