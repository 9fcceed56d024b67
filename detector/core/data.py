"""Data whose shape is known only at run time: rows of queries, and JSON."""

from typing import Any

Row = dict[str, Any]
"""A row of a query by the names of its columns."""

JsonObject = dict[str, Any]
"""A JSON object, or what becomes one."""
