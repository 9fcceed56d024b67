"""Ask a running Grafana for the data of every panel, as a browser would. Needs no package.

Prints a line per query and exits with 1 when one fails; a query without rows is reported, not
failed.
"""

import base64
import json
import sys
import urllib.error
import urllib.request
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from scripts.dashboards import Query, choices, dashboard_queries, load


def settings(text: str) -> dict[str, str]:
    """The settings of a .env file."""
    pairs = (line.partition("=") for line in text.splitlines() if not line.startswith("#"))
    return {name.strip(): value.strip() for name, mark, value in pairs if mark}


def request_body(query: Query, variables: dict[str, str], now: datetime) -> dict[str, Any]:
    """The request that a browser posts for a query: variables filled in, macros left to Grafana."""
    sql = query.sql
    for name, value in variables.items():
        sql = sql.replace(f"${{{name}}}", value).replace(f"${name}", value)
    moments = ((now - timedelta(hours=1)).timestamp(), now.timestamp())
    return {
        "from": str(int(moments[0] * 1000)),
        "to": str(int(moments[1] * 1000)),
        "queries": [
            {
                "refId": "A",
                "datasource": {"uid": "risingwave"},
                "format": query.format,
                "rawSql": sql,
                "rawQuery": True,
                "intervalMs": 10_000,
                "maxDataPoints": 500,
            }
        ],
    }


def outcome(answer: dict[str, Any]) -> tuple[bool, str]:
    """Whether Grafana's answer is valid, and the number of rows or the error."""
    result = answer.get("results", {}).get("A", {})
    if "error" in result or not result:
        return False, str(result.get("error") or answer.get("message") or "no answer")
    rows = 0
    for frame in result.get("frames", []):
        values = frame.get("data", {}).get("values") or [[]]
        rows = max(rows, len(values[0]))
    return True, f"{rows} rows" if rows else "no rows"


def main() -> int:
    """Ask for every panel, variable and annotation."""
    env = settings((Path(__file__).resolve().parents[1] / ".env").read_text(encoding="utf-8"))
    address = f"http://127.0.0.1:{env.get('GRAFANA_PORT') or 3000}"
    login = base64.b64encode(f"admin:{env['GRAFANA_ADMIN_PASSWORD']}".encode()).decode()
    headers = {"Authorization": f"Basic {login}", "Content-Type": "application/json"}
    dashboard = load()
    variables = choices(dashboard)
    failed = 0
    for query in dashboard_queries(dashboard):
        body = json.dumps(request_body(query, variables, datetime.now(UTC))).encode()
        request = urllib.request.Request(f"{address}/api/ds/query", body, headers)
        try:
            with urllib.request.urlopen(request, timeout=30) as response:
                good, detail = outcome(json.load(response))
        except urllib.error.HTTPError as error:
            try:
                good, detail = outcome(json.load(error))
            except ValueError:
                good, detail = False, str(error)
        except OSError as error:
            good, detail = False, str(error)
        failed += not good
        print(f"{'ok' if good else 'FAIL':5} {query.owner:12} {query.title:40} {detail}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
