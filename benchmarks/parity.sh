#!/bin/sh
# Both engines over three banks, in order and disturbed: late, out of order, some records twice.
set -eu
bin=${1:-.venv/bin}
events=${EVENTS:-200000}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
seed=1
failed=0
for rate in 0 0.01 0.10; do
  "$bin/fraud" generate --out "$folder/bank" --events "$events" --seed "$seed" --fraud-rate "$rate" >/dev/null
  "$bin/python" -m benchmarks.disorder "$folder/bank" "$folder/disturbed"
  for log in bank disturbed; do
    echo "== fraud rate $rate, seed $seed, $log"
    "$bin/fraud" parity "$folder/$log" || failed=1
  done
  rm -r "$folder/bank" "$folder/disturbed"
  seed=$((seed + 1))
done
exit "$failed"
