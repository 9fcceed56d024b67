# `make run` and `make test` need only Python >= 3.11; they install everything else here.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
UV := $(shell command -v uv 2>/dev/null)
ARGS ?=

.DEFAULT_GOAL := help
# Test processes, each running whole folders: one more than cores, as tests also wait for brokers and browsers.
JOBS ?= $(shell expr $$(nproc) + 1)
.PHONY: help run test test-producers test-wheel lint lint-workflows fmt types imports check bench evaluate parity \
  docs-patterns docs-metrics docs-site screenshots dbt-compile dbt-test dbt-docs clean

help: ## List the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-15s %s\n", $$1, $$2}'

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Python 3.11 or newer is needed; $(PYTHON) is $$($(PYTHON) --version 2>&1). Set PYTHON=..."; exit 1; }
ifdef UV
	@$(UV) venv --quiet --python $(PYTHON) $(VENV)
else
	@$(PYTHON) -m venv $(VENV)
endif

# One stamp per set of extras, so that `make run` installs no test tools.
define install
	@echo "Installing into $(VENV) (once) ..."
	@$(if $(UV),$(UV) pip install --quiet --python $(BIN)/python,$(BIN)/python -m pip install --quiet --disable-pip-version-check) -e '$(1)'
	@touch $@
endef

$(VENV)/.run: pyproject.toml | $(BIN)/python
	$(call install,.)

$(VENV)/.dev: pyproject.toml | $(BIN)/python
	$(call install,.[dev])
	@touch $(VENV)/.run

run: $(VENV)/.run ## Start the synthetic bank and watch fraud being found (Ctrl-C stops)
	@$(BIN)/fraud run --demo $(ARGS)

test: $(VENV)/.dev ## Run every test
	@PYTHONDONTWRITEBYTECODE= $(BIN)/python -m pytest -q -n $(JOBS) --no-loadscope-reorder $(ARGS)

test-producers: $(BIN)/python ## Install producers/ alone into a separate venv and test it there
	@rm -rf producers/.venv && $(PYTHON) -m venv producers/.venv
	@cd producers && .venv/bin/python -m pip install --quiet --disable-pip-version-check -e '.[dev]'
	@cd producers && .venv/bin/python -m pytest tests/ -q

test-wheel: ## Install the wheel into a fresh environment elsewhere and use it there
	@$(PYTHON) scripts/check_wheel.py

lint: $(VENV)/.dev ## Check style and formatting
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/djlint --lint --quiet detector/console

lint-workflows: ## Check the workflows of the public CI (needs Go)
	@go run github.com/rhysd/actionlint/cmd/actionlint@v1.7.12

fmt: $(VENV)/.dev ## Fix style and formatting
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

types: $(VENV)/.dev ## Check types
	@$(BIN)/mypy

imports: $(VENV)/.dev ## Check the import contracts
	@$(BIN)/lint-imports

# Cheap checks first. Among the tests: RisingWave's linter and the golden DDL, Compose, hadolint,
# shellcheck, yamllint.
check: lint types imports dbt-compile test-producers test-wheel test ## Run everything CI runs

bench: $(VENV)/.run ## Measure events per second: decoding, engine, whole pipeline
	@$(BIN)/fraud bench $(ARGS)

evaluate: $(VENV)/.run ## Measure what is caught on nine synthetic banks
	@benchmarks/evaluate.sh $(BIN)/fraud

parity: $(VENV)/.dev ## Compare both engines on three banks, in order and disturbed
	@benchmarks/parity.sh $(BIN)

docs-patterns: $(VENV)/.dev ## Write the tables of docs/fraud_patterns.md from the rules
	@$(BIN)/python -m scripts.pattern_docs

docs-site: $(VENV)/.dev dbt-docs ## Build the documentation as a site, dbt's docs inside: build/site
	@NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet && echo build/site/index.html

screenshots: $(VENV)/.dev ## Take the pictures of the documentation, in a real Chromium
	@$(BIN)/python -m scripts.screenshots $(ARGS)

docs-metrics: $(VENV)/.dev ## Write docs/metrics.md from the list of metrics
	@$(BIN)/python -m scripts.metric_docs

# --- The dbt project. None of these needs a server; `make dbt-run` is with the cluster, below. ---
DBT = DBT_SEND_ANONYMOUS_USAGE_STATS=false $(BIN)/dbt --quiet
DBT_PROJECT := --project-dir fraud_detection --profiles-dir fraud_detection
DBT_OUT := fraud_detection/target
DBT_STORE := $(DBT_OUT)/history/fraud.duckdb

dbt-compile: $(VENV)/.dev ## Parse and compile the models for RisingWave and for DuckDB
	@for target in risingwave duckdb; do \
	  for step in parse "compile --no-populate-cache"; do \
	    $(DBT) $$step $(DBT_PROJECT) --target $$target --target-path target/$$target \
	      --log-path $(DBT_OUT)/logs > /dev/null || exit 1; done; \
	  echo "$$target: $(DBT_OUT)/$$target/compiled/fraud_detection/models"; done

DBT_FILES := $(shell find fraud_detection/models fraud_detection/macros -type f) fraud_detection/dbt_project.yml

$(DBT_STORE): $(VENV)/.dev $(DBT_FILES)
	@rm -rf $(@D) && mkdir -p $(@D)
	@$(BIN)/fraud generate --out $(@D)/events --events 20000 --seed 1 > /dev/null
	@$(BIN)/fraud backtest $(@D)/events --keep $@ > /dev/null

dbt-test: $(DBT_STORE) ## Run the models' data tests on DuckDB, over a synthetic history
	@FRAUD_DUCKDB_PATH=$(DBT_STORE) $(DBT:--quiet=) test $(DBT_PROJECT) --target duckdb \
	  --target-path target/test --log-path $(DBT_OUT)/logs $(ARGS)

dbt-docs: $(DBT_STORE) ## Write the models' documentation, one page that needs no server
	@FRAUD_DUCKDB_PATH=$(DBT_STORE) $(DBT) docs generate --static $(DBT_PROJECT) --target duckdb \
	  --target-path target/docs --log-path $(DBT_OUT)/logs
	@echo "$(DBT_OUT)/docs/static_index.html"

clean: ## Remove what was installed and built; data/ stays
	@rm -rf $(VENV) build dist *.egg-info .pytest_cache .ruff_cache .mypy_cache .hypothesis .import_linter_cache
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

# --- The cluster: docker-compose.yml, docs/runbook.md -------------------------------------------
# `fraud validate` checks an embedded store; `make validate` checks the running cluster, end to end,
# and `make validate-files` its files, for which no Docker is needed.
COMPOSE := docker compose
# Questions are asked by the init image's psql as the read-only user.
ASK = $(COMPOSE) run --rm --no-deps -T --entrypoint psql risingwave-init --no-psqlrc --quiet
.PHONY: env need-engine need-docker up console down reset validate validate-files status psql risk cases kpis \
  fraud-rate freshness logs-producer dbt-run dbt-upgrade panels panels-live lock-images \
  images compose-config

env: ## Write .env with random passwords, or add what it lacks
	@$(PYTHON) scripts/make_env.py

need-engine:
	@command -v docker >/dev/null 2>&1 || \
	  { echo "The cluster needs Docker, which is not installed here. Without it: make run."; exit 1; }
	@$(COMPOSE) version >/dev/null 2>&1 || \
	  { echo "Docker is here, its Compose plugin (2.24 or newer) is not. Install docker-compose-plugin."; exit 1; }
	@docker info >/dev/null 2>&1 || \
	  { echo "The Docker engine does not answer. Start it, or see that you may use it."; exit 1; }

need-docker: need-engine
	@test -f .env || { echo "There is no .env yet. Run: make env"; exit 1; }

need-%: need-docker
	@$(COMPOSE) ps --status running --services | grep -qx '$*' || \
	  { echo "$* is not running. Start the cluster with: make up"; exit 1; }

up: need-engine env ## Start the cluster and wait until every service is healthy
	@$(PYTHON) scripts/cluster_memory.py
	@echo "Building two images and starting six services; the first time takes some minutes ..."
	@$(COMPOSE) up --detach --build --wait --wait-timeout 600 || { \
	  $(COMPOSE) ps --all; \
	  echo "The cluster did not come up. What risingwave-init said last:"; \
	  $(COMPOSE) logs --tail 25 risingwave-init; exit 1; }
	@echo "Grafana   http://127.0.0.1:$$($(COMPOSE) port grafana 3000 | sed 's/.*://')  (admin, GRAFANA_ADMIN_PASSWORD in .env)"
	@echo "Redpanda  http://127.0.0.1:$$($(COMPOSE) port redpanda-console 8080 | sed 's/.*://')"
	@echo "Check it with: make validate"

console: need-risingwave ## Start the operations console over the running cluster
	@$(COMPOSE) --profile console up --detach --build --wait console
	@$(COMPOSE) logs console | grep -F 'one-time password' || true
	@echo "Console   http://127.0.0.1:$$($(COMPOSE) port console 8000 | sed 's/.*://')"

images: need-engine env ## Build the three images
	@$(COMPOSE) --profile console build

compose-config: env ## Check docker-compose.yml with Compose itself
	@$(COMPOSE) --profile console config --quiet && echo "docker-compose.yml is valid"

lock-images: need-docker ## Write the digests of the images into docker-compose.lock.yml
	@$(COMPOSE) --profile console config --lock-image-digests > docker-compose.lock.yml
	@echo "Use them: COMPOSE_FILE=docker-compose.yml:docker-compose.lock.yml in .env"

down: need-docker ## Stop the cluster; its data stays
	@echo "Stopping the cluster; volumes stay ..."
	@$(COMPOSE) --profile console down

reset: need-docker ## DELETE the cluster's data and start it anew (asks first; YES=1 does not ask)
	@if [ "$(YES)" != 1 ]; then \
	  printf 'Delete all topics, views and dashboard state? Type yes: '; \
	  read -r answer; [ "$$answer" = yes ] || { echo "Nothing was deleted."; exit 1; }; fi
	@$(COMPOSE) --profile console down --volumes
	@echo "Deleted; starting anew ..."
	@$(MAKE) --no-print-directory up

validate: need-docker ## Check the running cluster from the topics to the dashboard
	@scripts/check_pipeline.sh $(ARGS)

validate-files: $(VENV)/.dev ## Check the cluster's files: Compose, images, scripts, dashboard, alerts
	@$(BIN)/python -m pytest -q tests/cluster $(ARGS)

status: need-docker ## Show the services and, where RisingWave runs, the newest minutes
	@$(COMPOSE) ps --all
	@if $(COMPOSE) ps --status running --services | grep -qx risingwave; then \
	  $(MAKE) --no-print-directory kpis; else echo "risingwave is not running: make up"; fi

psql: need-risingwave ## Open psql on RisingWave as its administrator
	@$(COMPOSE) run --rm --no-deps --entrypoint sh risingwave-init \
	  -c 'PGUSER=root PGPASSWORD=$$RISINGWAVE_PASSWORD exec psql'

risk: need-risingwave $(VENV)/.run ## Show the accounts of highest risk in the cluster
	@$(BIN)/fraud risk --sql | $(ASK)

cases: need-risingwave $(VENV)/.run ## Show the cluster's open cases, the most urgent first
	@$(BIN)/fraud cases --sql | $(ASK)

kpis: need-risingwave $(VENV)/.run ## Show the cluster's newest minutes
	@$(BIN)/fraud kpis --sql | $(ASK)

fraud-rate: need-risingwave $(VENV)/.run ## Show the cluster's share of flagged transactions
	@$(BIN)/fraud fraud-rate --sql | $(ASK)

freshness: need-risingwave ## Measure from published event to visible signal (ARGS=300: the goal in ms)
	@$(COMPOSE) run --rm --no-deps -T --entrypoint python risingwave-init /app/freshness.py $(ARGS)

logs-producer: need-docker ## Follow the log of the synthetic bank
	@$(COMPOSE) logs --follow --tail 50 producer

dbt-run: need-risingwave ## Create the models that are missing in the cluster
	@echo "Running dbt in the init image ..."
	@$(COMPOSE) run --rm --build risingwave-init $(ARGS)

dbt-upgrade: need-risingwave ## Build a model and all below it anew (MODEL=mv_cnp_spike); safe to repeat
	@test -n "$(MODEL)" || { echo "Name the model: make dbt-upgrade MODEL=mv_cnp_spike"; exit 1; }
	@echo "Dropping sinks, refreshing $(MODEL)+, creating the sinks again ..."
	@$(COMPOSE) run --rm --build risingwave-init --select $(MODEL)+ --full-refresh

panels: $(VENV)/.dev ## Print every dashboard panel with its SQL and first rows
	@$(BIN)/python -m scripts.show_panels $(ARGS)

panels-live: need-grafana ## Ask the running Grafana for the data of every panel
	@$(PYTHON) scripts/ask_grafana.py
