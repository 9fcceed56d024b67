"""The operators: each class in a file of this folder, by name."""

import pkgutil
from importlib import import_module

from detector.signals.operator import Operator

for _module in pkgutil.iter_modules(__path__):
    import_module(f"{__name__}.{_module.name}")

# Concrete all of them; a type checker cannot know.
OPERATORS: dict[str, type[Operator]] = {
    operator.name: operator  # type: ignore[type-abstract]
    for operator in Operator.__subclasses__()
}
