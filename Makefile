# Everything works on a machine with Python 3.11 or newer and make.
#
#   make serve   a world of its own on port 7777
#   make test    every test that must hold
#
# PYTHON chooses the interpreter that .venv is made with.

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed

.PHONY: serve test check install world bench clean

install: $(INSTALLED)

$(INSTALLED): pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --upgrade pip
	$(BIN)/pip install --quiet --group dev --editable .
	touch $@

serve: $(INSTALLED)
	$(BIN)/pymoo serve

test: $(INSTALLED)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	TZ=UTC $(BIN)/pytest

bench: $(INSTALLED)
	TZ=UTC $(BIN)/pytest tests/bench --benchmark-only

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache build dist
