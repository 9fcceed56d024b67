"""Prints the rules without habit: the seven patterns, and cases that open by level only.

PATTERNS_FILE=seven.yml benchmarks/evaluate.sh then measures what the rest adds.
"""

import sys

import yaml

from detector.signals.loading import DEFAULT_PATH

project = yaml.safe_load(DEFAULT_PATH.read_text("utf-8"))
for name in ("unusual_amount", "new_payee_large"):
    del project["vars"]["patterns"][name]
project["vars"]["cases"]["opens_at_loss"] = 1e12
yaml.safe_dump(project, sys.stdout)
