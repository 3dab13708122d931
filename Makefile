# Everything a newcomer needs: `make demo`, `make test`, `make check`. Only Python 3.11 or later with pip is assumed.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.ready
ARGS ?=

# The environment needs no pip of its own, so it can be made where Python comes without ensurepip, as Debian's does.
PIP := $(PYTHON) -m pip --python $(BIN)/python --quiet --disable-pip-version-check

.PHONY: setup demo test test-all simulate chaos check format docs lock clean

setup: $(STAMP)
	@:

$(STAMP): pyproject.toml requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "$(PYTHON) is not Python 3.11 or later; name one that is: make PYTHON=python3.12 $(MAKECMDGOALS)" >&2; exit 1; }
	@$(PYTHON) -m pip --version >/dev/null || \
	  { echo "$(PYTHON) has no pip; install it (Debian: apt-get install python3-pip)" >&2; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv --without-pip $(VENV)
	@echo "installing the pinned packages …" >&2
	@$(PIP) install --require-hashes -r requirements.lock >&2
	@$(PIP) install --no-deps --no-build-isolation -e . >&2
	@echo "fetching the broker's jars …" >&2
	@$(BIN)/headrace kafka fetch >&2
	@touch $(STAMP)

demo: $(STAMP)
	@$(BIN)/headrace demo $(ARGS)

test: $(STAMP)
	@$(BIN)/python -m pytest -m "not slow" $(ARGS)

test-all: $(STAMP)
	@$(BIN)/python -m pytest $(ARGS)

# Delivery under seeded faults in virtual time: SEEDS says how many schedules, SEED which, ORDERING any|session|org.
simulate: $(STAMP)
	@PYTHONPATH=tests $(BIN)/python -m simulation $(if $(SEEDS),--seeds $(SEEDS)) $(if $(SEED),--seed $(SEED)) \
	  $(if $(ORDERING),--ordering $(ORDERING)) $(if $(WITHOUT),--without "$(WITHOUT)")

# Real parts, hurt by a seeded schedule: PROFILE smoke|full|soak, SEED; the figures of the longer two are kept.
chaos: $(STAMP)
	@PYTHONPATH=tests $(BIN)/python -m chaos --profile $(or $(PROFILE),smoke) $(if $(SEED),--seed $(SEED)) \
	  $(if $(filter full soak,$(PROFILE)),--evidence docs/evidence) \
	  $(if $(filter soak,$(PROFILE)),--hours $(or $(HOURS),2)) $(ARGS)

check: $(STAMP)
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo

format: $(STAMP)
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

# The pages that are made from the code; a test compares them.
docs: $(STAMP)
	@$(BIN)/headrace config reference > docs/configuration.md
	@$(BIN)/headrace config reference --toml > docs/headrace.toml
	@$(BIN)/headrace metrics > docs/metrics.md
	@mkdir -p deploy/grafana deploy/prometheus
	@$(BIN)/headrace metrics --grafana > deploy/grafana/headrace.json
	@$(BIN)/headrace metrics --rules > deploy/prometheus/alerts.yml

# The lock names versions and hashes, never where to download from.
lock: $(STAMP)
	@$(PIP) install uv >&2
	@$(BIN)/uv pip compile --universal --generate-hashes --python-version 3.11 --extra dev --upgrade \
	  --no-emit-index-url --no-emit-find-links --no-header --quiet pyproject.toml -o requirements.lock
	@! grep -n "://" requirements.lock

clean:
	@rm -rf $(VENV) .headrace .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache
