# What a newcomer types. `make run` serves the gateway with its vendor sandboxes; `make test` runs what CI runs.
PYTHON ?= python3
HOST ?= 127.0.0.1
PORT ?= 8000
VENV := .venv
BIN := $(VENV)/bin
PAGES := app/pages/assets/built.json
LOCKED := --quiet --disable-pip-version-check --no-deps --require-hashes

MAKEFLAGS += --jobs=2  # npm fetches while pip does

.PHONY: setup run test test-all bench bench-ledger bench-isolation bench-overload bench-many soak lock clean

setup: $(VENV)/.installed

run: setup $(PAGES)
	@exec $(BIN)/switchboard serve --host $(HOST) --port $(PORT) --sandbox --demo

test: $(VENV)/.installed-dev $(PAGES)
	$(BIN)/python -m pytest -n auto --dist loadgroup -m "not big"

# Everything, with the whole of the big matrices.
test-all: $(VENV)/.installed-dev $(PAGES)
	$(BIN)/python -m pytest -n auto --dist loadgroup --timeout 3600

# Steady load with faulty vendors, stops and kills, and an audit: one line of figures. MINUTES and SEED are yours to choose.
soak: $(VENV)/.installed-dev
	$(BIN)/python -m tests.soak --minutes $(or $(MINUTES),10) $(if $(SEED),--seed $(SEED))

# This gateway and its peers: about forty minutes, and nothing else should run meanwhile. ARGS=--quick tries it out.
bench: $(VENV)/.installed-dev
	$(BIN)/python -m tests.bench $(ARGS)

# What the ledger's durability costs on this machine: about two minutes, as quiet.
bench-ledger: $(VENV)/.installed-dev
	$(BIN)/python -m tests.bench.ledger

# What a vendor that is down does to the others: about four minutes.
bench-isolation: $(VENV)/.installed-dev
	$(BIN)/python -m tests.bench.isolation

# What five times the load comes to: about two minutes.
bench-overload: $(VENV)/.installed-dev
	$(BIN)/python -m tests.bench.overload

# What a list costs among more people than are at hand: about three minutes, as quiet.
bench-many: $(VENV)/.installed-dev
	$(BIN)/python -m tests.bench.many

# Newest versions within pyproject.toml's bounds, with hashes and without any index's address.
lock: $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	$(BIN)/uv pip compile -q -U --universal --generate-hashes --no-header --no-annotate --no-emit-index-url pyproject.toml -o requirements.lock
	$(BIN)/uv pip compile -q -U --universal --generate-hashes --no-header --no-annotate --no-emit-index-url --group dev -c requirements.lock -o requirements-dev.lock

clean:
	rm -rf $(VENV) app/pages/assets

# GraphiQL, from npm by its lock file; where it can't be had, the page says so and the gateway works as ever.
$(PAGES): $(wildcard app/pages/web/*) app/pages/web/.npmrc | $(VENV)/bin/python
	@mkdir -p $(VENV)/web && cp $^ $(VENV)/web
	@cd $(VENV)/web && npm ci --silent --ignore-scripts >/dev/null 2>&1 && node build.js ../../app/pages/assets \
	  || echo "GraphiQL could not be built (Node.js 20 and npm do it): its page will load an older one from the Internet."

# What a failure leaves would pass for a sound one: it is taken away.
$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' && $(PYTHON) -m venv --clear $(VENV) \
	  || { rm -rf $(VENV); echo "No .venv: it takes Python 3.11 or later (name one: make PYTHON=python3.12) and its venv (on Debian:" \
	  "apt install python3-venv)."; exit 1; } >&2

$(VENV)/.installed: $(VENV)/bin/python requirements.lock pyproject.toml
	$(BIN)/python -m pip install $(LOCKED) -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.installed-dev: $(VENV)/.installed requirements-dev.lock
	$(BIN)/python -m pip install $(LOCKED) -r requirements-dev.lock
	@touch $@
