# Every target works on a fresh machine: what is missing is installed into this checkout first.
SHELL := bash
.DEFAULT_GOAL := help
PY := .venv/bin/python
export PATH := $(CURDIR)/.venv/bin:$(PATH)
# Every run starts many Python processes: they keep what they compile.
unexport PYTHONDONTWRITEBYTECODE

help: ## list every target
	@awk -F':.*## ' '/^[a-z0-9-]+:.*## /{printf "  %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# --- run -------------------------------------------------------------------------------------------------------------
install: ## install the locked Python environment and the contracts' npm packages
	@deploy/local/setup.sh

demo: install ## start everything, perform the main job once, print what was seen, stop
	@exec $(PY) -m deploy.local.up --demo

up: install ## the same, and stay up at http://localhost:8000 until Ctrl-C
	@exec $(PY) -m deploy.local.up

staff: install ## e-mail, password and the code of this moment for the local administration
	@$(PY) -m deploy.local.staff

reset: ## forget all local data (database, chain, logs); the installed packages stay
	@exec deploy/local/reset.sh

# --- check -----------------------------------------------------------------------------------------------------------
test: ## every check and every test, installing and starting all they need
	@deploy/local/setup.sh browser
	@$(MAKE) --no-print-directory --jobs=2 --output-sync=target types contracts-test lint layers
	@$(MAKE) --no-print-directory pytest

lint: install ## ruff, djlint, missing migrations, deployment checks
	ruff check .
	ruff format --check .
	djlint --check --lint --quiet templates
	$(PY) -W ignore manage.py makemigrations --check --dry-run
	@SECRET_KEY=$$(head -c 48 /dev/urandom | base64) ALLOWED_HOSTS=example.org SITE_URL=https://example.org \
	  BASE_RPC_URLS=https://rpc.example.org DJANGO_SETTINGS_MODULE=config.settings.production \
	  $(PY) manage.py check --deploy --fail-level WARNING

types: install ## mypy --strict
	mypy .
	mypy --config-file deploy/agents/mypy.ini deploy/agents

layers: install ## the rooms import one way only
	lint-imports

contracts-test: install ## formatting, ABI freshness and forge tests of the contracts
	$(MAKE) --no-print-directory -C contracts fmt-check abi-check test

pytest: install ## all Python and browser tests, on the real engines
	$(PY) -m deploy.local.test

unit: install ## the quick tests, in under a minute: no Docker, no browser, no chain
	pytest -n 2 -m "not docker and not e2e and not chain and not slow" tests

chain-scenarios: install ## the chain's long form: 500 storms, a kill at every step, a count of what held
	@$(PY) -m tests.chain.long_run

audit: install ## known vulnerabilities in the locked dependencies
	pip-audit --skip-editable

# --- contracts -------------------------------------------------------------------------------------------------------
brownie: install ## a Brownie console on a development chain
	$(MAKE) --no-print-directory -C contracts brownie

contracts-%: install
	$(MAKE) --no-print-directory -C contracts $*

attack: install ## every attack on the sandbox three times (RUNTIME=runsc: under gVisor): a table, and a count of what broke
	@$(PY) -m tests.attacks $(RUNTIME)

crash: install ## kill workers, engine, Redis and PostgreSQL at each step of a run (ROUNDS=10, FAULT=docker); nothing lost, nothing left
	@$(PY) -m tests.crash $(or $(ROUNDS),10) $(if $(FAULT),"$(FAULT)")

bench: install ## every benchmark, one figure a line
	@for file in tests/bench/bench_*.py; do $(PY) -m tests.bench.$$(basename $$file .py) || exit 1; done
	@$(MAKE) --no-print-directory -C contracts bench-gas

bench-%: install
	@$(PY) -m tests.bench.bench_$*

bench-gas: install ## gas of each operation beside a naive baseline
	$(MAKE) --no-print-directory -C contracts bench-gas

# bench-<subject> runs one of tests/bench; contracts-<target> runs a target of contracts/Makefile.

# --- develop ---------------------------------------------------------------------------------------------------------
assets: ## rebuild the committed style sheet and demo wallet (needs Node.js)
	npm ci --no-audit --no-fund && npm run build

new-agent: install ## make new-agent NAME=my-agent [KIND=wasm]: a new agent from a template, in Python or AssemblyScript
	$(PY) -m deploy.agents.new $(NAME) --kind $(or $(KIND),python)

.PHONY: crash help install demo up staff reset test lint types layers contracts-test pytest unit chain-scenarios audit attack brownie bench bench-gas assets new-agent
