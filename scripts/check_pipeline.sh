#!/usr/bin/env bash
# Is the cluster healthy from end to end? Prints a table and ends with 0 if nothing failed,
# 1 if something did, 2 if the question cannot be asked (no Docker, no .env).
#   scripts/check_pipeline.sh [SECONDS]   how long to watch the topics grow (10)
set -uo pipefail
cd "$(dirname "$0")/.." || exit 2

watch_s=${1:-10}
services="redpanda redpanda-console risingwave grafana producer"
failures=0
warnings=0

say() { # ok|warn|FAIL, what, detail
  printf '%-5s %-44s %s\n' "$1" "$2" "$3"
  case $1 in
    FAIL) failures=$((failures + 1)) ;;
    warn) warnings=$((warnings + 1)) ;;
  esac
}

stop() {
  printf 'check_pipeline: %s\n' "$1" >&2
  exit 2
}

command -v docker >/dev/null 2>&1 || stop "Docker is not installed."
docker compose version >/dev/null 2>&1 || stop "the Compose plugin is missing; Docker 25+ has it."
docker info >/dev/null 2>&1 || stop "the Docker engine does not answer; is it running?"
[ -f .env ] || stop "there is no .env; run make up."

state_of() { # service -> "status health exit-code"
  local id
  id=$(docker compose ps --all --quiet "$1" 2>/dev/null | head -n 1)
  [ -n "$id" ] || { echo "absent - -"; return; }
  docker inspect --format \
    '{{.State.Status}} {{if .State.Health}}{{.State.Health.Status}}{{else}}-{{end}} {{.State.ExitCode}}' \
    "$id" 2>/dev/null || echo "unknown - -"
}

sql() { # queries on stdin -> rows with | between columns
  docker compose run --rm --no-deps -T --entrypoint psql risingwave-init \
    --no-psqlrc --quiet --no-align --tuples-only --field-separator='|' --set=ON_ERROR_STOP=0 2>&1
}

end_offset() { # topic -> the sum of its partitions' end offsets
  docker compose exec -T redpanda rpk topic describe "$1" -p 2>/dev/null | awk '
    /HIGH-WATERMARK/ { for (i = 1; i <= NF; i++) if ($i == "HIGH-WATERMARK") column = i; next }
    column && $1 ~ /^[0-9]+$/ { sum += $column; seen = 1 }
    END { if (seen) print sum }'
}

grafana() { # path -> body; the password stays inside the container
  # shellcheck disable=SC2016  # expanded by the container's shell
  docker compose exec -T grafana sh -c \
    'curl -fsS -u "admin:$GF_SECURITY_ADMIN_PASSWORD" "http://127.0.0.1:3000$1"' sh "$1" 2>/dev/null
}

is_number() { [[ $1 =~ ^-?[0-9]+(\.[0-9]+)?$ ]]; }

field() { # name, table of name|value -> value
  awk -F'|' -v name="$1" '$1 == name { print $2; exit }' <<<"$2"
}

echo "Services"
for service in $services; do
  read -r status health _ <<<"$(state_of "$service")"
  if [ "$status" = running ] && [ "$health" = healthy ]; then
    say ok "$service" "running, healthy"
  else
    say FAIL "$service" "$status, $health; docker compose logs $service"
  fi
done
read -r status _ code <<<"$(state_of risingwave-init)"
if [ "$status" = exited ] && [ "$code" = 0 ]; then
  say ok risingwave-init "ended with 0"
else
  say FAIL risingwave-init "$status, exit code $code; docker compose logs risingwave-init"
fi

fraud_rate=$(docker compose exec -T producer printenv FRAUD_RATE 2>/dev/null)
quiet=false
[[ $fraud_rate =~ ^0*(\.0*)?$ && -n $fraud_rate ]] && quiet=true

echo "Topics, watched for $watch_s s"
topics="banking.transactions banking.logins banking.card_events banking.alerts
  banking.kyc_profiles banking.dlq fraud.signals"
declare -A before
for topic in $topics; do before[$topic]=$(end_offset "$topic"); done
sleep "$watch_s"
for topic in $topics; do
  now=$(end_offset "$topic")
  if [ -z "$now" ] || [ -z "${before[$topic]}" ]; then
    say FAIL "$topic" "does not exist or cannot be read"
    continue
  fi
  grown=$((now - before[$topic]))
  case $topic in
    banking.dlq) say ok "$topic" "$now records (dead letters)" ;;
    banking.transactions | banking.logins)
      if [ "$grown" -gt 0 ]; then say ok "$topic" "$now records, +$grown"
      else say FAIL "$topic" "$now records, none new; docker compose logs producer"; fi ;;
    *)
      if [ "$now" -gt 0 ]; then say ok "$topic" "$now records, +$grown"
      elif [ "$topic" = fraud.signals ] && $quiet; then say warn "$topic" "empty: FRAUD_RATE is 0"
      else say FAIL "$topic" "empty"; fi ;;
  esac
done

echo "Sources: age of the newest event"
ages=$(sql <<'SQL'
SELECT 'transactions', round(EXTRACT(EPOCH FROM now() - max(occurred_at))::NUMERIC, 1) FROM stg_transactions;
SELECT 'logins', round(EXTRACT(EPOCH FROM now() - max(occurred_at))::NUMERIC, 1) FROM stg_logins;
SELECT 'card_events', round(EXTRACT(EPOCH FROM now() - max(occurred_at))::NUMERIC, 1) FROM stg_card_events;
SELECT 'alerts', round(EXTRACT(EPOCH FROM now() - max(occurred_at))::NUMERIC, 1) FROM stg_alerts;
SELECT 'kyc_profiles', round(EXTRACT(EPOCH FROM now() - max(occurred_at))::NUMERIC, 1) FROM stg_kyc_profiles;
SELECT 'signals', round(EXTRACT(EPOCH FROM now() - max(occurred_at))::NUMERIC, 1) FROM mv_fraud_signals;
SQL
)
for limit in transactions:60 logins:60 card_events:180 alerts:180 kyc_profiles:600; do
  name=${limit%%:*}
  age=$(field "$name" "$ages")
  if ! is_number "$age"; then say FAIL "$name" "no event: ${age:-no answer}"
  elif awk "BEGIN { exit !($age <= ${limit##*:}) }"; then say ok "$name" "$age s"
  else say FAIL "$name" "$age s, more than ${limit##*:} s"; fi
done

echo "Views"
# The views of the patterns are those of their blocks.
patterns=$(sed -nE 's/^      view: (mv_[a-z0-9_]+)$/\1/p' fraud_detection/dbt_project.yml)
views="stg_transactions stg_logins stg_card_events stg_alerts stg_kyc_profiles $patterns mv_fraud_signals
  mv_account_risk_score_realtime mv_fraud_kpis_1min mv_merchant_risk mv_channel_risk
  mv_open_fraud_cases"
counts=$(for view in $views; do echo "SELECT '$view', count(*) FROM $view;"; done | sql)
for view in $views; do
  rows=$(field "$view" "$counts")
  if ! is_number "$rows"; then
    say FAIL "$view" "does not answer: $(grep -m 1 -i error <<<"$counts" || echo 'no answer')"
  elif [ "$rows" -gt 0 ]; then say ok "$view" "$rows rows"
  else
    case $view in
      mv_fraud_signals | mv_open_fraud_cases)
        if $quiet; then say warn "$view" "empty: FRAUD_RATE is 0"
        else say FAIL "$view" "empty, though frauds are being made"; fi ;;
      mv_account_risk_score_realtime)
        say warn "$view" "empty: no signal in the last two minutes" ;;
      *)
        if grep -qx "$view" <<<"$patterns"; then
          say warn "$view" "empty: this pattern has not fired in the last six hours"
        else say FAIL "$view" "empty"; fi ;;
    esac
  fi
done

echo "Findings"
age=$(field signals "$ages")
if ! is_number "$age"; then
  if $quiet; then say warn "newest signal" "none: FRAUD_RATE is 0"
  else say FAIL "newest signal" "none"; fi
elif awk "BEGIN { exit !($age <= 300) }"; then say ok "newest signal" "$age s old"
elif $quiet; then say warn "newest signal" "$age s old: FRAUD_RATE is 0"
else say FAIL "newest signal" "$age s old, more than five minutes"; fi

facts=$(sql <<'SQL'
SELECT 'outside', count(*) FROM mv_account_risk_score_realtime WHERE risk_score <= 0 OR risk_score > 1 OR risk_score IS NULL;
SELECT 'rejected', count(*) FROM rejected_records;
SQL
)
outside=$(field outside "$facts")
if [ "$outside" = 0 ]; then say ok "risk scores within 0..1" "all"
else say FAIL "risk scores within 0..1" "${outside:-no answer} accounts outside"; fi
rejected=$(field rejected "$facts")
if [ "$rejected" = 0 ]; then say ok "rejected records" "none"
else say warn "rejected records" "${rejected:-no answer}; see rejected_records"; fi

# From outside: marked events are published, and polled until their signals can be read.
if measured=$(docker compose run --rm --no-deps -T --entrypoint python risingwave-init \
  /app/freshness.py "${FRESHNESS_GOAL_MS:-2000}" 2>/dev/null); then
  say ok "published event to visible signal" "$measured"
else say warn "published event to visible signal" "${measured:-cannot be told}"; fi

echo "Grafana"
if grafana /api/health | grep -q '"database": *"ok"'; then say ok "grafana" "database ok"
else say FAIL "grafana" "no healthy answer"; fi
if grafana /api/datasources/uid/risingwave/health | grep -q '"status": *"OK"'; then
  say ok "datasource risingwave" "connects"
else say FAIL "datasource risingwave" "does not connect; is the password in .env the reader's?"; fi
if grafana /api/dashboards/uid/fraud-ops-centre | grep -q '"title": *"Fraud Operations Centre"'; then
  say ok "dashboard fraud-ops-centre" "provisioned"
else say FAIL "dashboard fraud-ops-centre" "not there; docker compose logs grafana"; fi
rules=$(grafana /api/v1/provisioning/alert-rules | grep -o '"uid": *"fraud-[a-z-]*"' | sort -u | wc -l)
if [ "$rules" -ge 3 ]; then say ok "alert rules" "$rules provisioned"
else say FAIL "alert rules" "$rules of 3 provisioned"; fi

printf '\n%d failed, %d warnings\n' "$failures" "$warnings"
[ "$failures" -eq 0 ]
