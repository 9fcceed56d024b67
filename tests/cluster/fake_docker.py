#!/usr/bin/env python3
"""Stands in for docker in tests of the scripts: a healthy cluster, or one with a FAULT."""

import os
import sys

FAULT = os.environ.get("FAULT", "")
STATE = os.environ["FAKE_STATE"]
NUMBERS = {"outside": 0, "rejected": 0}


def main(words: list[str]) -> int:
    line = " ".join(words)
    if words[0] == "info":
        return int(FAULT == "engine")
    if line == "compose version":
        return int(FAULT == "compose")
    if line.startswith("compose ps --all --quiet"):
        if f"absent {words[-1]}" != FAULT:
            print(f"id-{words[-1]}")
    elif words[0] == "inspect":
        service = words[-1].removeprefix("id-")
        if service == "risingwave-init":
            print("exited -", 1 if FAULT == "init" else 0)
        else:
            print("running", "unhealthy" if f"sick {service}" == FAULT else "healthy", 0)
    elif line.endswith("printenv FRAUD_RATE"):
        print("0.0" if "quiet" in FAULT else "0.10")
    elif "rpk topic describe" in line:
        topic = words[words.index("describe") + 1]
        if f"no topic {topic}" == FAULT:
            print("UNKNOWN_TOPIC_OR_PARTITION", file=sys.stderr)
            return 1
        seen = f"{STATE}/{topic}"
        offset = 100 if f"still {topic}" == FAULT or not os.path.exists(seen) else 130
        offset = 0 if f"empty {topic}" == FAULT else offset
        with open(seen, "w"):
            pass
        print("PARTITION  LEADER  EPOCH  REPLICAS  LOG-START-OFFSET  HIGH-WATERMARK")
        print(f"0          0       1      [0]       0                 {offset}")
        print(f"1          0       1      [0]       7                 {offset}")
    elif "--entrypoint psql" in line:
        print(" Container fraud-detection-risingwave-init-run-1  Creating", file=sys.stderr)
        answer(sys.stdin.read())
    elif "freshness.py" in line:
        slow = FAULT == "slow"
        print(f"20 signals, published to visible: p95 {2900 if slow else 180} ms")
        return int(slow)
    elif "grafana sh -c" in line:
        return grafana(words[-1])
    else:
        print(f"fake docker: not understood: {line}", file=sys.stderr)
        return 99
    return 0


def answer(sql: str) -> None:
    import re  # here, because most calls do without and there are many

    for name, kind in re.findall(r"SELECT '(\w+)', (\w+)", sql):
        if f"no view {name}" == FAULT:
            print(f'ERROR:  Failed to run the query: table or source not found: "{name}"')
        elif f"stale {name}" == FAULT:
            print(f"{name}|4000.5")
        elif f"none {name}" in FAULT:
            print(f"{name}|0" if kind == "count" else f"{name}|")
        else:
            print(f"{name}|{NUMBERS.get(name, 42)}" if name != FAULT else f"{name}|3")


def grafana(path: str) -> int:
    if f"grafana {path}" == FAULT:
        return 22
    if path == "/api/health":
        print('{"database": "ok", "version": "12.4.11"}')
    elif path.startswith("/api/datasources"):
        print('{"message":"Database Connection OK","status":"OK"}')
    elif path.startswith("/api/dashboards"):
        print('{"dashboard":{"title":"Fraud Operations Centre"}}')
    else:
        uids = ("fraud-critical-account", "fraud-rate-jump", "fraud-pipeline-stale")
        print("[" + ",".join(f'{{"uid":"{uid}"}}' for uid in uids) + "]")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
