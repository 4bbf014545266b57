# The front door. Each target prepares what it needs, the virtual environment included;
# a machine with Python 3.11 or later and make is enough.

VENV := .venv
BIN := $(VENV)/bin
UV_PIP = VIRTUAL_ENV="$(CURDIR)/$(VENV)" $(BIN)/uv pip
PINNED := pyproject.toml constraints.txt
EXTRAS := api,sandbox,login,encryption,postgres,socks,webhooks

# Which Python to build the environment with; empty means the first one that is new enough.
PYTHON ?=
# More arguments for pytest, e.g. `make test ARGS="-k invoices"`.
ARGS ?=
# The Chromium of the browser tests; empty means the one on PATH, installed if need be.
CHROMIUM ?=
# How many tests at once.
JOBS ?= auto
# What `make demo-sql` asks; empty opens a prompt.
QUERY ?=

# Tests and benchmarks start hundreds of processes; none of them has to compile all modules anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help demo demo-sql test test-heavy test-browser soak bench chromium lint audit docs format constraints clean
.DELETE_ON_ERROR:

help:
	@echo "make demo         FreshBooks (a sandbox of it) into PostgreSQL, from nothing, in a minute or two"
	@echo "make demo-sql     look at the tables that the demo loaded (or QUERY=\"select …\")"
	@echo "make test         all tests (ARGS=\"-k invoices\" for some of them, ARGS=--cov with coverage)"
	@echo "make test-heavy   deaths at every step, and machines that lack something, in minutes"
	@echo "make test-browser the tests that need a browser, in headless Chromium (apt installs it)"
	@echo "make soak         10,000 refreshes under fire, in many minutes (ARGS=file or postgres for one)"
	@echo "make bench        against peers and the least possible, in 25 minutes (ARGS=--quick: in three)"
	@echo "make lint         ruff, ruff format, mypy --strict, import-linter"
	@echo "make audit        hold all pinned versions against the known vulnerabilities (asks PyPI)"
	@echo "make docs         write what follows from the code: docs/streams.md, tables of docs/unified.md, the snapshot of the catalog"
	@echo "make format       let ruff correct what it can"
	@echo "make constraints  pin the newest versions of all that the targets above install"
	@echo "make clean        remove the virtual environment, the demo's data and all caches"

demo: $(VENV)/.demo
	@$(BIN)/python -m demo

demo-sql: $(VENV)/.demo
	@$(BIN)/python -m demo sql "$(QUERY)"

test: $(VENV)/.dev
	$(BIN)/pytest -n $(JOBS) --dist loadgroup -m "not browser and not heavy" $(ARGS)

test-heavy: $(VENV)/.dev
	$(BIN)/pytest -n $(JOBS) --dist loadgroup -m heavy tests/faults $(ARGS)
	$(BIN)/python -m tests.faults.machines

test-browser: $(VENV)/.dev chromium
	CHROMIUM="$(CHROMIUM)" $(BIN)/pytest tests/browser $(ARGS)

soak: $(VENV)/.dev
	$(BIN)/python -m tests.faults $(ARGS)

bench: $(VENV)/.demo
	@$(BIN)/python -m benchmarks $(ARGS)

# The fonts make screenshots readable; Chromium alone brings none.
chromium:
	@for name in $(if $(CHROMIUM),"$(CHROMIUM)",chromium chromium-browser google-chrome); do \
		if command -v "$$name" >/dev/null; then exit 0; fi; \
	done; \
	if [ -z "$(CHROMIUM)" ] && command -v apt-get >/dev/null; then \
		if [ "$$(id -u)" = 0 ]; then as_root=; else as_root="sudo -n"; fi; \
		if $$as_root true 2>/dev/null; then \
			echo "Installing Chromium …"; \
			$$as_root apt-get update -qq && \
			$$as_root env DEBIAN_FRONTEND=noninteractive apt-get install -qq -y \
				--no-install-recommends chromium fonts-dejavu-core >/dev/null && exit 0; \
		fi; \
	fi; \
	echo "The browser tests need Chromium; $(or $(CHROMIUM),it) is not there. On Debian: apt install chromium fonts-dejavu-core. Another one: make test-browser CHROMIUM=/path/to/chromium" >&2; \
	exit 1

lint: $(VENV)/.dev
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy tap_freshbooks freshbooks_sandbox tests demo benchmarks tools
	$(BIN)/lint-imports --no-logo

# Strict: a version that could not be looked up, on a mirror without these data say, is no good news.
audit: $(VENV)/.uv
	$(BIN)/uv tool run pip-audit --strict --no-deps --disable-pip --requirement constraints.txt

docs: $(VENV)/.dev
	$(BIN)/python -m tools.docs_streams docs/streams.md
	$(BIN)/python -m tools.docs_unified docs/unified.md
	$(BIN)/pytest -q tests/test_catalog.py --snapshot-update

format: $(VENV)/.dev
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

constraints: $(VENV)/.uv
	$(UV_PIP) compile --quiet --upgrade --universal --python-version 3.11 --no-header --no-annotate \
		--no-emit-index-url --all-extras --group dev pyproject.toml -o constraints.txt

# Not .meltano: that is where Meltano keeps its state and the tap keeps its tokens.
clean:
	rm -rf $(VENV) benchmarks/.venvs demo-data .coverage .coverage.* .import_linter_cache .mypy_cache .pytest_cache .ruff_cache .hypothesis build dist

$(VENV)/.demo: $(VENV)/.uv $(PINNED)
	@echo "Installing the tap, its sandbox, Meltano and PostgreSQL into $(VENV) …"
	@$(UV_PIP) install --quiet --constraint constraints.txt --editable '.[$(EXTRAS)]' --group demo
	@touch $@

$(VENV)/.dev: $(VENV)/.uv $(PINNED)
	@echo "Installing the tap and its development tools into $(VENV) …"
	@$(UV_PIP) install --quiet --constraint constraints.txt --editable '.[$(EXTRAS)]' --group dev
	@touch $@ $(VENV)/.demo

$(VENV)/.uv: constraints.txt
	@test -x $(BIN)/python || $(MAKE) --no-print-directory $(BIN)/python
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt uv
	@touch $@

$(BIN)/python:
	@for python in $(if $(PYTHON),"$(PYTHON)",python3 python3.14 python3.13 python3.12 python3.11 python); do \
		if "$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
			if ! "$$python" -c 'import ensurepip, venv' 2>/dev/null; then \
				echo "$$python lacks the modules venv and ensurepip. On Debian and Ubuntu: apt install python3-venv" >&2; \
				exit 1; \
			fi; \
			echo "Creating the virtual environment $(VENV) with $$("$$python" --version) …"; \
			"$$python" -m venv --clear $(VENV) && exit 0; \
			exit 1; \
		fi; \
	done; \
	echo "Python 3.11 or later is needed; $(or $(PYTHON),python3) is older, absent or broken. Another one: make PYTHON=/path/to/python3.12 …" >&2; \
	exit 1
