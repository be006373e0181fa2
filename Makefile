# Two commands do everything on a fresh machine: `make demo` and `make test`.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
# Pinned and installed first: an unpinned torch brings several GB of CUDA packages. TORCH_PIP takes options for pip, such
# as an index with CPU wheels.
TORCH ?= torch==2.13.0
TORCH_PIP ?=
EXTRAS ?= [dev]
ROUNDS ?= 200
CODE := app bandit benchmarks clients core feedback ranking retrievers simulation tests

.PHONY: demo test check unit crash fuzz serve bench-loop bench-arms bench-upserts bench-bandit bench-ranking \
	bench-operations bench-serve vendor screenshots clean help

help:            ## what there is
	@sed -n 's/^\([a-z-]*\):.*##/\1\t/p' $(MAKEFILE_LIST)

demo: $(VENV)/ready   ## index music, let simulated listeners click, show what was learned
	$(BIN)/bowerbird demo $(ARGS)

test: check unit      ## everything that must hold before a change lands

check: $(VENV)/ready  ## format, lint, types, layers, container files
	$(BIN)/ruff format --check $(CODE)
	$(BIN)/ruff check --no-cache $(CODE)
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	$(BIN)/check-jsonschema --builtin-schema vendor.compose-spec docker-compose.yml
	$(BIN)/hadolint Dockerfile

unit: $(VENV)/ready   ## the tests
	$(BIN)/pytest $(ARGS)

crash: $(VENV)/ready  ## kill -9 under load, ROUNDS times for each store -> benchmarks/results/crash.json
	CRASH_ROUNDS=$(ROUNDS) CRASH_RESULTS=benchmarks/results/crash.json $(BIN)/pytest tests/flow/test_crash.py $(ARGS)

fuzz: $(VENV)/ready   ## ten minutes and more of whatever may come over HTTP, other each time (FUZZ_S, FUZZ_EXAMPLES)
	FUZZ_S=$${FUZZ_S:-600} FUZZ_EXAMPLES=$${FUZZ_EXAMPLES:-200} FUZZ_SEED=$${FUZZ_SEED:-random} $(BIN)/pytest tests/fuzz

serve: $(VENV)/ready  ## the service on this machine
	$(BIN)/bowerbird serve

bench-loop: $(VENV)/ready ## real catalogue: ingest time, quality, learning, latency -> benchmarks/results/loop.json
	$(BIN)/python -m benchmarks.loop

bench-arms: $(VENV)/rivals ## every arm: judged quality, known items, speed beside other engines -> benchmarks/results/arms.json
	$(BIN)/python -m benchmarks.arms $(ARGS)

bench-upserts: $(VENV)/ready ## searches while the catalogue changes -> benchmarks/results/upserts.json
	$(BIN)/python -m benchmarks.upserts

bench-bandit: $(VENV)/ready ## the bandit's evidence: simulated and real worlds, rollouts, off-policy evaluation -> benchmarks/results/bandit.json
	$(BIN)/python -m benchmarks.bandit $(ARGS)

bench-ranking: $(VENV)/ready ## the ranker's evidence: training, examination, held-out queries, tastes, quality, speed -> benchmarks/results/ranking.json
	$(BIN)/python -m benchmarks.ranking $(ARGS)

bench-operations: $(VENV)/ready ## operating: reload under load, soak, export and restore -> benchmarks/results/operations.json
	$(BIN)/python -m benchmarks.operations $(ARGS)

bench-serve: $(VENV)/rivals ## the whole under load, at 10,000 to 1,000,000 items, beside other engines -> benchmarks/results/serve.json
	$(BIN)/python -m benchmarks.serve $(ARGS)

# The client is absent where the service alone is installed, as in a container.
CLIENT := $(wildcard clients/python/pyproject.toml)

$(VENV)/ready: pyproject.toml $(CLIENT)
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet $(TORCH_PIP) "$(TORCH)"
	$(BIN)/pip install --quiet --editable ".$(EXTRAS)" $(if $(CLIENT),--editable clients/python)
	touch $@

# What only the comparison with other engines needs.
$(VENV)/rivals: $(VENV)/ready
	$(BIN)/pip install --quiet --editable ".[bench]"
	touch $@

vendor:          ## fetch the studio's libraries again, at the pinned versions (npm)
	$(BIN)/python -m app.studio.vendor

STUDIO ?=
screenshots: $(VENV)/ready ## pictures of every page of the studio at STUDIO, or of a demo of their own -> docs/images
	$(BIN)/python -m app.studio.screenshots docs/images $(STUDIO)

clean:           ## remove the environment and what runs have left
	rm -rf $(VENV) var build *.egg-info
