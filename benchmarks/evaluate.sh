#!/bin/sh
# What is caught and what is missed, on three profiles and three seeds; the README's figures come
# from here. `fraud tune` used the seeds 201 and 202.
set -eu
fraud=${1:-.venv/bin/fraud}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
measure() {
  profile=$1
  shift
  for seed in 101 102 103; do
    out="$folder/$profile-$seed"
    "$fraud" generate --out "$out" --seed "$seed" --profile "$profile" "$@" >/dev/null
    echo "== $profile, seed $seed"
    "$fraud" evaluate "$out"
    rm -rf "$out"
  done
}
measure demo --events "${EVENTS:-200000}" --fraud-rate 0.10 --customers 500
measure realistic --events "${EVENTS:-400000}" --fraud-rate 0.004 --rate 0.4 --customers 8000
measure adversarial --events "${EVENTS:-400000}" --fraud-rate 0.004 --rate 0.4 --customers 8000
