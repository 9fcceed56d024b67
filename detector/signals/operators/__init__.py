"""The operators by name: each class is in a file of this folder."""

import pkgutil
from importlib import import_module

from detector.signals.operator import Operator

for _module in pkgutil.iter_modules(__path__):
    import_module(f"{__name__}.{_module.name}")

# All of them are concrete; a type checker cannot know that.
OPERATORS: dict[str, type[Operator]] = {
    operator.name: operator  # type: ignore[type-abstract]
    for operator in Operator.__subclasses__()
}
