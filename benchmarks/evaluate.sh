#!/bin/sh
# Precision and recall at two fraud rates and three seeds; the README's figures come from here.
set -eu
fraud=${1:-.venv/bin/fraud}
events=${EVENTS:-200000}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
for rate in 0.002 0.10; do
  for seed in 1 2 3; do
    out="$folder/$rate-$seed"
    "$fraud" generate --out "$out" --events "$events" --seed "$seed" --fraud-rate "$rate" >/dev/null
    echo "== fraud rate $rate, seed $seed"
    "$fraud" evaluate "$out"
  done
done
