# `make help` lists the targets.

.DEFAULT_GOAL := help
SHELL := /bin/sh
BIN := .venv/bin
# Which tests `make test` runs, four at a time since many wait; the reasons of skipped ones are printed.
TESTS ?= not faults
MINUTES ?= 10

.PHONY: help install dev demo test faults soak screenshots lint lock reset

help: ## List the targets
	@grep -E '^[a-z]+:.*## ' Makefile | sed -E 's/^([a-z]+):.*## /  make \1\t/' | expand -t 18

install: ## Set everything up: .venv from the lock, .env with fresh keys if missing; PYTHON=python3.12 picks one
	@PYTHON="$(PYTHON)" sh config/install.sh requirements.lock

dev: install
	@PYTHON="$(PYTHON)" sh config/install.sh requirements-dev.lock
	@sh tests/browser/install.sh

demo: install ## Run the console with demo data; PORT=9000 picks another port
	@$(BIN)/python -m config.dotenv OUTBOUND_ALLOW_NETWORKS=127.0.0.0/8,::1/128
	@exec $(BIN)/python -m config.demo

test: dev ## Run the tests on the embedded database
	@$(BIN)/python -m pytest -q -n 4 -rs -m "$(TESTS)"

faults: dev ## Run the long fault tests: killed processes, lost brokers, long waits
	@FAULTS=full $(BIN)/python -m pytest -rA -m faults

soak: dev ## Keep 200 tokens alive through faults and kills; MINUTES=10
	@FAULTS=full $(BIN)/python -m tests.faults.soak --minutes $(MINUTES)

screenshots: dev ## Take the pictures of the README anew; needs a Chromium
	@BROWSER=required timeout 600 $(BIN)/python -m pytest -q tests/browser/screenshots.py

lint: dev ## Check style, types and migrations
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/python manage.py makemigrations --check --dry-run

lock: dev ## Resolve the locks again from requirements*.txt
	@for name in requirements requirements-dev; do \
		$(BIN)/uv pip compile $$name.txt --universal --python-version 3.11 --generate-hashes \
			--no-header --no-annotate --quiet --output-file $$name.lock || exit 1; done

reset: ## Delete the embedded database and broker folder; .env stays
	@if [ -x $(BIN)/python ]; then $(BIN)/python -m config.reset; \
	else echo "Nothing is installed here, so there is nothing to delete."; fi
