"""Modules that need a package of an optional dependency."""

from importlib import import_module
from typing import Any

from detector.core.errors import InputError


def imported(module: str, package: str, extra: str, purpose: str) -> Any:
    """A module; raises `InputError`, which says what to install, where its package is missing."""
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        if not str(error.name).startswith(package.replace("-", "_")):
            raise
        raise InputError(
            f"{purpose} needs the package {package}, which is not installed. Install it: "
            f"pip install -e '.[{extra}]' in a checkout, or 'fraud-detection-streaming[{extra}]'."
        ) from error
