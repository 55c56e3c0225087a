# Everything works on a machine with Python 3.11 or newer and make.
#
#   make serve   a world of its own on port 7777
#   make test    every test that must hold
#   make test-stress   all tests once more with each of the switches for tests
#   make test-model   tasks against a model of them, 100,000 sequences
#   make test-kill   a server that is killed 1,000 times, and nothing is lost
#   make fuzz    random and damaged input; FUZZ_S seconds for each kind of it
#   make soak    500 connections for SOAK_S seconds, a tenth of them hostile
#   make bench   how fast it is
#   make test-celery   workers by Celery and Redis; needs redis-server
#   make test-pypy   the tests with PyPy 3.11
#   make world   the starter core's database file, built from its text
#
# PYTHON chooses the interpreter that .venv is made with.

PYTHON ?= python3
PYPY ?= pypy3
VENV ?= .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed

.PHONY: install serve test test-language test-world test-switches pytest test-stress test-model test-kill fuzz soak test-celery test-pypy world bench clean

install: $(INSTALLED)

$(INSTALLED): pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --upgrade pip
	$(BIN)/pip install --quiet --group dev --editable .
	touch $@

serve: $(INSTALLED)
	$(BIN)/pymoo serve

# In parts, two at a time: each tells what it did when it is at its end.
test: $(INSTALLED)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(MAKE) --jobs 2 --output-sync=target test-language test-world test-switches

LANGUAGE := tests/bench tests/conform tests/interp tests/lang tests/limits

test-language: $(INSTALLED)
	TZ=UTC $(BIN)/pytest $(LANGUAGE)

# All that is not in the part above.
test-world: $(INSTALLED)
	TZ=UTC $(BIN)/pytest $(addprefix --ignore ,$(LANGUAGE))

test-switches: $(INSTALLED)
	# Once more with every verb compiled at its first call.
	TZ=UTC PYMOO_TIERS=compiled $(BIN)/pytest tests/server/test_transcripts.py \
		tests/worlds tests/interp tests/limits tests/conform/test_own_cases.py
	# And some with each call unwound and the world reloaded after each slice.
	TZ=UTC PYMOO_STRESS=unwind,reload $(BIN)/pytest tests/tasks tests/limits \
		tests/server/test_inprocess.py tests/server/test_connections.py \
		tests/worlds/test_starter_sessions.py

pytest: $(INSTALLED)
	TZ=UTC $(BIN)/pytest

# The switches are described in pymoo/tasks/stress.py and pymoo/interp/tiering.py.
test-stress: $(INSTALLED)
	TZ=UTC PYMOO_TIERS=compiled $(BIN)/pytest
	TZ=UTC PYMOO_STRESS=unwind $(BIN)/pytest
	# Benchmarks run thousands of slices, and would tell nothing more.
	TZ=UTC PYMOO_STRESS=reload $(BIN)/pytest --ignore tests/bench
	TZ=UTC PYMOO_TIERS=compiled PYMOO_STRESS=unwind,reload $(BIN)/pytest \
		--ignore tests/bench

# The broker and Celery's workers are started by the tests.
test-celery: $(INSTALLED)
	command -v redis-server || (echo "install redis-server first" >&2; exit 1)
	$(BIN)/pip install --quiet --editable ".[celery]"
	TZ=UTC $(BIN)/pytest tests/workers/test_celery.py
# About 20 minutes.  The same for each run; make test has the first 400 of them.
test-model: $(INSTALLED)
	TZ=UTC PYMOO_MODEL_SEQUENCES=100000 $(BIN)/pytest tests/tasks/test_task_model.py

# About half an hour.  What it did is printed at the end.
test-kill: $(INSTALLED)
	TZ=UTC PYMOO_KILLS=1000 $(BIN)/pytest -rP tests/server/test_kill.py

# Finds something new only now and then: FUZZ_SEED makes it other inputs.
FUZZ_S ?= 120
FUZZ_SEED ?= 0
fuzz: $(INSTALLED)
	TZ=UTC $(BIN)/python -m tests.fuzz --seconds $(FUZZ_S) --seed $(FUZZ_SEED)

# SOAK_CONNECTIONS and SOAK_S say how many and how long: 500, and 600 seconds.
soak: $(INSTALLED)
	TZ=UTC $(BIN)/python -m tests.soak

# The same with PyPy 3.11, in an environment of its own.
test-pypy:
	$(MAKE) pytest PYTHON=$(PYPY) VENV=.venv-pypy

world: $(INSTALLED)
	$(BIN)/python -m pymoo.worlds.build

bench: $(INSTALLED)
	TZ=UTC $(BIN)/pytest tests/bench/bench_*.py --benchmark-only \
		--benchmark-columns=min,median,stddev,rounds

clean:
	rm -rf $(VENV) .venv-pypy .mypy_cache .ruff_cache .pytest_cache build dist
