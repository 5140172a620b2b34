# make run: set up and read samples/ into output/.   make test: set up and run every check.   make help: the rest.
SHELL := /bin/bash
PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
UV_VERSION := 0.13.9
CYCLONEDX_VERSION := 7.5.0
# Starts local Ray a second faster, and sends no usage statistics.
export RAY_USAGE_STATS_ENABLED := 0
# Otherwise each of the many processes that the tests start compiles what it imports.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help setup run test run-tests test-fast unit lint type fmt bench bench-gemini bench-limits bad-days bench-shared bench-memory bench-documents bench-outputs bench-resume bench-discovery bench-watch bench-watch-polls bench-view bench-nodes bench-fleet bench-scale fuzz quality fidelity chaos docs recording screenshots sbom audit samples lock wheel clean

help:
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):[^#]*## /  make \1\t/' | expand -t 20

setup: $(VENV)/.ready ## create a virtual environment from the lock file

# uv installs in seconds; if it cannot reach its index (a mirror that only pip is configured for), pip does the same work.
$(VENV)/.ready: requirements-dev.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "rayocr needs Python 3.11 or newer; set PYTHON=/path/to/python3.11"; exit 2; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "Setting up $(VENV) (once, about a minute) ..."
	@{ $(BIN)/pip install -q --disable-pip-version-check uv==$(UV_VERSION) \
	   && $(BIN)/uv pip sync -q --python $(BIN)/python --compile-bytecode requirements-dev.lock; } \
	 || $(BIN)/pip install -q --disable-pip-version-check --no-deps --require-hashes -r requirements-dev.lock
	@$(BIN)/pip install -q --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

run: setup ## read samples/ into output/ with the local engines
	@$(BIN)/python -m rayocr $(ARGS)

test: setup lint ## lint, types and every test
	@$(MAKE) -s -k -j4 type run-tests $(UNIT_TESTS)

# These wait for quotas, servers and Ray most of the time. The unit tests use the time that they leave.
run-tests:
	@$(BIN)/python -m pytest -q -n 6 --dist loadgroup tests/e2e tests/integration $(ARGS) $(NONE_IS_FINE)

# One process for each, the longest first: to distribute 8,000 short tests among processes costs more than many of the tests.
UNIT_TESTS := $(addprefix unit-tests-,pdf cli others api driver engines actors outputs contract)
.PHONY: $(UNIT_TESTS)
NAMED := $(filter-out others contract,$(UNIT_TESTS:unit-tests-%=%))
unit-tests-others: FOLDERS = tests/unit $(NAMED:%=--ignore=tests/unit/%)
unit-tests-contract: FOLDERS = tests/contract
unit-tests-%: FOLDERS = tests/unit/$*
$(UNIT_TESTS): unit-tests-%:
	@log=$$(mktemp); nice -n 5 $(BIN)/python -m pytest -q $(FOLDERS) $(ARGS) >$$log 2>&1 $(NONE_IS_FINE); \
	code=$$?; cat $$log; rm $$log; exit $$code

# ARGS="-k watch" may select nothing in one of them.
NONE_IS_FINE = $(if $(ARGS),|| test $$? -eq 5)

test-fast: setup ## the unit and contract tests of the core, in less than a minute
	@$(BIN)/python -m pytest -q -n 2 -m "not slow" tests/unit/driver tests/unit/actors tests/unit/ledger tests/unit/limits tests/unit/locks tests/unit/observe tests/unit/test_errors.py tests/unit/test_retry.py tests/contract/test_storage.py tests/contract/test_locks.py

unit: setup ## the tests that need no Ray
	@$(BIN)/python -m pytest -q tests/unit tests/contract

lint: setup ## ruff and the import rules
	@$(BIN)/ruff check -q . && $(BIN)/ruff format -q --check . && $(BIN)/lint-imports --no-logo >/dev/null || { $(BIN)/lint-imports --no-logo; exit 1; }

type: setup ## mypy, strict
	@nice -n 5 $(BIN)/mypy

fmt: setup ## format
	@$(BIN)/ruff check -q --fix . ; $(BIN)/ruff format -q .

bench: setup ## measure ratios against bare loops, in one run
	@$(BIN)/python -m benchmarks

bench-gemini: setup ## the Gemini path: throughput, CPU, memory and the share of quotas used, in 10 minutes
	@$(BIN)/python -m benchmarks.bench_gemini

bad-days: setup ## outages, limits and full queues over 2,000 pages each, against the simulator; an hour
	@$(BIN)/python -m benchmarks.bad_days $(ARGS)

bench-limits: setup ## the use of rpm, tpm, rpd, $$ per ten minutes and enqueued tokens when each binds, in simulated time; a minute
	@$(BIN)/python -m benchmarks.binding_limits

bench-shared: setup ## two runs on one quota in Redis, and one of them killed, in 3 minutes
	@$(BIN)/python -m benchmarks.shared_quota

bench-memory: setup ## peak memory from 10 to 10,000 documents and pages
	@$(BIN)/python -m benchmarks.memory

bench-documents: setup ## pace and memory over 20,000 small documents in one run, in 15 minutes
	@$(BIN)/python -m benchmarks.documents

bench-outputs: setup ## CPU, size and peak memory of every output, 100 to 10,000 pages, in 15 minutes
	@$(BIN)/python -m benchmarks.outputs $(ARGS)

bench-resume: setup ## time to the first new page with 1,000,000 pages done
	@$(BIN)/python -m benchmarks.resume

bench-discovery: setup ## list 200,000 objects of a bucket, half of them finished: time, requests, memory; two minutes
	@$(BIN)/python -m benchmarks.discovery

bench-watch: setup ## MINUTES=30 of mode=watch while files are added, replaced and removed: checks that each is read once and memory stays flat
	@$(BIN)/python -m benchmarks.watching --minutes $(MINUTES)

bench-watch-polls: setup ## memory of a watch over 20,000 polls without reading pages
	@$(BIN)/python -m benchmarks.watch_polls

bench-view: setup ## the results view over 20,000 documents: first screen, searches, memory; two minutes
	@$(BIN)/python -m benchmarks.view $(ARGS)

bench-nodes: setup ## one node against four on a slow server: throughput, distribution, memory of each process
	@$(BIN)/python -m benchmarks.nodes

bench-fleet: setup ## four nodes in network namespaces, with failures of each part (root, iproute2; SCENARIOS="redis head")
	@$(BIN)/python -m benchmarks.fleet $(SCENARIOS)

bench-scale: setup ## calls per second that limiter, ledger, driver and Redis sustain (used in docs/scale.md)
	@$(BIN)/python -m benchmarks.scale

quality: setup ## character errors and word F1 of the local chain, by class of page; ARGS="--pages 6" for more
	@$(BIN)/python -m benchmarks.quality $(ARGS)

DIR ?= samples
fidelity: setup ## compare the text of the PDFs in DIR=folder with pdftotext and the ink; ARGS="--chain textlayer,rapidocr" reads scans, too
	@$(BIN)/python -m benchmarks.fidelity $(DIR) $(ARGS)

MINUTES ?= 30
SEEDS ?= 12
chaos: setup ## SEEDS=20 scenarios of kills, pauses and lost servers; about a minute each, the 13th twelve minutes
	@$(BIN)/python -m benchmarks.chaos --seeds $(SEEDS) $(ARGS)

fuzz: setup ## MINUTES=10 of damaged input to each of: state loaders, answers, Markdown, PDFs (TARGETS="state pdf" selects)
	@$(BIN)/python -m benchmarks.fuzz $(TARGETS) --minutes $(MINUTES)

docs: setup ## generate docs/configuration.md, docs/licences.md, the table of metrics and the words of --help
	@$(BIN)/python docs/generate_configuration.py
	@$(BIN)/python docs/generate_glossary.py
	@$(BIN)/python docs/generate_licences.py
	@$(BIN)/python docs/generate_tables.py

# In a separate environment: it installs a JSON validator that Ray would load in every process, for 1.3 s of CPU each.
sbom: setup ## dist/sbom.json: every package that is shipped, CycloneDX, from the lock file
	@test -x $(VENV)-sbom/bin/cyclonedx-py || { $(PYTHON) -m venv $(VENV)-sbom && $(VENV)-sbom/bin/pip install -q --disable-pip-version-check cyclonedx-bom==$(CYCLONEDX_VERSION); }
	@mkdir -p dist && $(VENV)-sbom/bin/cyclonedx-py requirements requirements.lock --pyproject pyproject.toml --output-reproducible -o dist/sbom.json

audit: setup ## check the pinned packages for known vulnerabilities in the package index
	@$(BIN)/pip-audit --strict --require-hashes --disable-pip -r requirements.lock || \
		{ echo "make audit: vulnerabilities were found, or a package could not be audited (is the package index reachable?)."; exit 1; }

screenshots: setup ## docs/images/view-*.webp: the results view over the samples, at three widths (needs Debian's chromium)
	@$(BIN)/python docs/take_screenshots.py

.PHONY: site
site: setup ## build the documentation as a site in site/; a broken link fails
	@NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict 2>&1 | grep -v "^INFO" ; test $${PIPESTATUS[0]} = 0 && echo "Open site/index.html."

recording: setup ## record docs/images/run.svg: a real run in a terminal
	@$(BIN)/python docs/record_terminal.py

samples: setup ## generate samples/
	@$(BIN)/python samples/make_samples.py

lock: ## update the lock files from pyproject.toml
	@$(BIN)/uv pip compile -q pyproject.toml --extra cjk --extra drive --extra supabase --universal --python-version 3.11 --generate-hashes --no-annotate --no-header --no-emit-index-url -o requirements.lock
	@$(BIN)/uv pip compile -q pyproject.toml --extra cjk --extra drive --extra supabase --group dev -c requirements.lock --universal --python-version 3.11 --generate-hashes --no-annotate --no-header --no-emit-index-url -o requirements-dev.lock

wheel: setup ## dist/*.whl, with conf/ and samples/ inside
	@$(BIN)/python -m build -q --wheel --no-isolation

clean: ## delete everything that make created
	@rm -rf $(VENV) $(VENV)-sbom output logs dist site .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
