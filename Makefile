# Two commands matter to a newcomer: `make demo` and `make test`. Each sets up what it needs; a second run starts at once.
PYTHON ?= python3
BIN := .venv/bin
ARGS ?=
NAME ?= *
PURE := model fields wire imagery telemetry agronomy credit units errors
.DEFAULT_GOAL := help
.PHONY: help demo test check coverage bench faults format clean

help: ## say what can be made
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 10

demo: .venv/.runtime ## run the whole line on the demo region and open the desk (ARGS=--once: print the summary and exit)
	@$(BIN)/cropcredit demo $(ARGS)

test: .venv/.test ## set up, check and test everything
	@.ci/system
	@$(MAKE) --no-print-directory check
	@$(BIN)/pytest --numprocesses auto $(ARGS)

check: .venv/.test ## format, lint, types, architecture
	@$(BIN)/ruff format --check --quiet . || { echo "run: make format"; exit 1; }
	@$(BIN)/ruff check --quiet .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

coverage: .venv/.test ## branch coverage of the pure layers by their own tests
	@$(BIN)/pytest -q tests/unit tests/property tests/contract tests/golden \
	  $(foreach layer,$(PURE),--cov=cropcredit.$(layer)) --cov-branch --cov-report=term:skip-covered --cov-fail-under=95

bench: .venv/.bench ## measure against the named peers (NAME=imagery: only that one)
	@set -e; for bench in tests/benchmarks/bench_$(NAME).py; do PYTHONPATH=. $(BIN)/python $$bench $(ARGS); done

faults: .venv/.test ## stage every fault that telemetry must survive, and print what became of it (ARGS=--long: 15 minutes)
	@.ci/system
	@$(BIN)/python -m tests.faults $(ARGS)

format: .venv/.test ## let ruff set the code
	@$(BIN)/ruff format --quiet .
	@$(BIN)/ruff check --quiet --fix .

clean: ## remove what make made
	rm -rf .venv build dist demo-workspace

.venv/.runtime: pyproject.toml constraints.txt
	@.ci/venv $(PYTHON) .venv "."
	@touch $@

.venv/.test: pyproject.toml constraints.txt
	@.ci/venv $(PYTHON) .venv ".[test]"
	@touch .venv/.runtime $@

.venv/.bench: pyproject.toml constraints.txt
	@.ci/venv $(PYTHON) .venv ".[bench]"
	@touch .venv/.runtime .venv/.test $@
