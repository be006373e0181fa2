# Two commands do everything on a fresh machine: `make demo` and `make test`.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
# Pinned and installed first: an unpinned torch brings several GB of CUDA packages. TORCH_PIP takes options for pip, such
# as an index with CPU wheels.
TORCH ?= torch==2.13.0
TORCH_PIP ?=
EXTRAS ?= [dev]
CODE := app bandit benchmarks core feedback ranking retrievers simulation tests

.PHONY: demo test check unit serve bench-loop bench-arms bench-upserts bench-bandit clean help

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

serve: $(VENV)/ready  ## the service on this machine
	$(BIN)/bowerbird serve

bench-loop: $(VENV)/ready ## real catalogue: ingest time, quality, learning, latency -> benchmarks/results/loop.json
	$(BIN)/python -m benchmarks.loop

bench-arms: $(VENV)/rivals ## every arm: judged quality, known items, speed beside other engines -> benchmarks/results/arms.json
	$(BIN)/python -m benchmarks.arms

bench-upserts: $(VENV)/ready ## searches while the catalogue changes -> benchmarks/results/upserts.json
	$(BIN)/python -m benchmarks.upserts

bench-bandit: $(VENV)/ready ## the bandit's evidence: simulated and real worlds, rollouts, off-policy evaluation -> benchmarks/results/bandit.json
	$(BIN)/python -m benchmarks.bandit $(ARGS)

$(VENV)/ready: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet $(TORCH_PIP) "$(TORCH)"
	$(BIN)/pip install --quiet --editable ".$(EXTRAS)"
	touch $@

# What only the comparison with other engines needs.
$(VENV)/rivals: $(VENV)/ready
	$(BIN)/pip install --quiet --editable ".[bench]"
	touch $@

clean:           ## remove the environment and what runs have left
	rm -rf $(VENV) var build *.egg-info
