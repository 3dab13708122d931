# Everything a newcomer needs: `make demo`, `make test`, `make check`. Nothing but Python ≥ 3.11 with pip is assumed.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.ready
ARGS ?=

.PHONY: setup demo test test-all check format lock clean

setup: $(STAMP)

$(STAMP): pyproject.toml requirements.lock
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "installing the pinned packages …" >&2
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock >&2
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e . >&2
	@echo "fetching the broker's jars …" >&2
	@$(BIN)/headrace kafka fetch >&2
	@touch $(STAMP)

demo: $(STAMP)
	@$(BIN)/headrace demo $(ARGS)

test: $(STAMP)
	@$(BIN)/python -m pytest -m "not slow" $(ARGS)

test-all: $(STAMP)
	@$(BIN)/python -m pytest $(ARGS)

check: $(STAMP)
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

format: $(STAMP)
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

# The lock names versions and hashes, never a download host.
lock:
	@$(BIN)/python -m pip install --quiet uv
	@$(BIN)/uv pip compile --universal --generate-hashes --python-version 3.11 --extra dev --no-emit-index-url \
	  --no-header --quiet pyproject.toml -o requirements.lock

clean:
	@rm -rf $(VENV) .headrace .mypy_cache .pytest_cache .ruff_cache .hypothesis
