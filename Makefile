# Every target sets up what it needs the first time, and not again. `make` alone lists them.

PYTHON ?= python3
VENV   := .venv
PY     := $(VENV)/bin/python -m

# What the cluster that will be chosen needs of this checkout.
prepare = if test "$(ON)" = simulation; then :; elif test "$(ON)" != processes && docker version >/dev/null 2>&1; then \
	bin/images; elif test "$(ON)" != containers && command -v npm >/dev/null; then $(MAKE) --no-print-directory grapes; fi

.DEFAULT_GOAL := help
.PHONY: help setup check test images docker doctor scenario scenarios scenarios-run recheck torture simulate replay mutants grapes bench lock up down clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-13s %s\n", $$1, $$2 }' Makefile

setup: $(VENV)/.stamp ## make the Python environment from the lock (PYTHON=python3.12 to choose)

$(VENV)/.stamp: requirements/dev.txt
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' || \
		{ echo "$(PYTHON) is not Python 3.11 to 3.13; choose one: make PYTHON=python3.12" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(PY) pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt
	@$(VENV)/bin/python -c 'import pathlib, site; \
		pathlib.Path(site.getsitepackages()[0], "grapevine.pth").write_text(str(pathlib.Path.cwd()))'
	@touch $@

check: setup ## format, lint, types and import contracts
	$(PY) ruff format --check .
	$(PY) ruff check .
	$(PY) mypy
	$(VENV)/bin/lint-imports

test: check images ## everything that `check` does, and all tests; says what it skipped and why
	@! command -v npm >/dev/null || $(MAKE) --no-print-directory grapes
	$(PY) pytest $(ARGS)

images: ## build the Docker images, where Docker works and their inputs have changed
	@bin/images

docker: ## give a Debian machine a working Docker; changes nothing where Docker works
	@bin/docker-up

doctor: ## tell what this machine can run, what is missing, and the command that mends it
	@$(PYTHON) -m testbed.doctor

scenario: setup ## run NAME=partial_fill [ON=containers|processes|simulation] [PEERS=3] [SEED=7]
	@test -n "$(NAME)" || { echo "make scenario NAME=..., one of:" >&2; $(PY) testbed list >&2; exit 2; }
	@$(prepare)
	@$(PY) testbed run "$(NAME)" $(if $(ON),--on "$(ON)") $(if $(PEERS),--peers "$(PEERS)") \
		$(if $(SEED),--seed "$(SEED)") $(ARGS)

scenarios: setup ## list the scenarios
	@$(PY) testbed list

scenarios-run: setup ## run them all [ON=containers|processes|simulation] [SEED=7]; a table, and runs/junit.xml
	@$(prepare)
	@$(PY) testbed run-all $(if $(ON),--on "$(ON)") $(if $(SEED),--seed "$(SEED)") $(ARGS)

recheck: setup ## judge a stored run again, with the checkers of today, RUN=runs/latest
	@$(PY) testbed judge "$(or $(RUN),runs/latest)" $(ARGS)

torture: setup ## random orders and faults, MINUTES=10 [ON=containers|processes] [SEED=7] [PEERS=5] [PLANT=fill_again]
	@$(prepare)
	@$(PY) testbed torture $(if $(ON),--on "$(ON)") $(if $(MINUTES),--minutes "$(MINUTES)") $(if $(SEED),--seed "$(SEED)") \
		$(if $(PEERS),--peers "$(PEERS)") $(if $(PLANT),--plant "$(PLANT)") $(ARGS)

simulate: setup ## play drawn runs on simulated peers, SEEDS=1000 of them [FROM=0]
	@$(PY) testbed simulate $(if $(SEEDS),--seeds "$(SEEDS)") $(if $(FROM),--from "$(FROM)") $(ARGS)

replay: setup ## play the drawn run of one SEED=7 again, and tell all about it
	@test -n "$(SEED)" || { echo "make replay SEED=..., as \`make simulate\` has printed it" >&2; exit 2; }
	@$(PY) testbed replay "$(SEED)" $(ARGS)

mutants: setup ## plant known bugs in the simulated peers, and count the seeds it takes to find each
	@$(PY) testbed mutants $(ARGS)

grapes: grape/node_modules/.stamp ## install upstream Grape, for peers on local processes

grape/node_modules/.stamp: grape/package.json grape/package-lock.json
	@command -v npm >/dev/null || { echo "upstream Grape needs Node.js and npm, which are not on the PATH" >&2; exit 1; }
	cd grape && npm ci --silent
	@touch $@

bench: setup grapes ## measure; NAME=rpc for one of bench/
	@for name in $(or $(NAME),$(sort $(notdir $(basename $(wildcard bench/[a-z]*.py))))); do \
		$(PY) bench.$$name $(ARGS) || exit 1; done

lock: setup ## pin the Python dependencies anew (ARGS=--upgrade for newer versions)
	@for name in runtime dev; do $(PY) uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
		--no-emit-index-url --custom-compile-command 'make lock' $(ARGS) \
		requirements/$$name.in --output-file requirements/$$name.txt || exit 1; done

up: images ## start two Grapes and three peers, or PEERS=5
	docker compose up --detach --wait $(if $(PEERS),--scale peer=$(PEERS))

down: ## stop them and forget their ledgers
	docker compose down --volumes --timeout 5

clean: ## take away all that make made here; the images stay
	rm -rf $(VENV) runs build *.egg-info .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	find . -type d \( -name __pycache__ -o -name node_modules \) -prune -exec rm -rf {} +
