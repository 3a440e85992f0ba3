# Two commands: `make run` and `make test`. Both set up everything they need, and are safe to
# run again.
SHELL := /bin/bash
PYTHON ?= python3
JOBS ?= $(shell nproc)
PIP := .venv/bin/python -m pip --disable-pip-version-check
VIEWER_SOURCES := $(shell find viewer/src viewer/public -type f 2>/dev/null) \
	viewer/index.html viewer/package-lock.json viewer/vite.config.ts viewer/tsconfig.json

.PHONY: run test check clean
.DELETE_ON_ERROR:

run: .venv/.run viewer/dist/index.html
	@exec .venv/bin/sgi demo

test: .venv/.dev viewer/dist/index.html check
	@scripts/system-packages.sh
	@scripts/build-viewer.sh test
	.venv/bin/pytest -n $(JOBS) --dist loadfile --no-loadscope-reorder

check: .venv/.dev
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy
	.venv/bin/lint-imports --no-logo 2>/dev/null || .venv/bin/lint-imports

.venv/bin/python:
	@$(PYTHON) -c 'import sys, venv; sys.exit(sys.version_info < (3, 11))' || \
		{ echo 'make: Python 3.11 or newer with its venv module is needed: apt-get install python3-venv'; exit 1; }
	$(PYTHON) -m venv .venv

.venv/.run: requirements/run.txt pyproject.toml | .venv/bin/python
	$(PIP) install --quiet --require-hashes -r requirements/run.txt
	$(PIP) install --quiet --no-deps --no-build-isolation -e .
	@touch $@

.venv/.dev: requirements/dev.txt .venv/.run
	$(PIP) install --quiet --require-hashes -r requirements/dev.txt
	@touch $@

viewer/dist/index.html: $(VIEWER_SOURCES) | .venv/.run
	@scripts/build-viewer.sh build
	@touch $@

clean:
	rm -rf .venv viewer/node_modules viewer/dist
