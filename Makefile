# Each target builds the environment it needs: `make figures` and `make test` are enough on a fresh machine.
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready

.DEFAULT_GOAL := help
.PHONY: help warm figures test lint notebooks docs benchmarks lock matrix clean

help:
	@echo "make figures    all figures from the reported data, into figures/"
	@echo "make test       the tests, doctests and notebooks"
	@echo "make warm       compile the kernels beforehand, as the two above do"
	@echo "make lint       ruff and mypy"
	@echo "make notebooks  execute the notebooks in place"
	@echo "make docs       the documentation site, into docs/_build/html"
	@echo "make benchmarks speed of the simulation, of the designs and of the endpoints, as ratios"
	@echo "make lock       pin the environment anew (needs uv)"
	@echo "make matrix     the quick tests on several Pythons, lowest and newest dependencies (needs uv)"
	@echo "make clean      remove the environment and all caches"

$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or later is needed, this is " \
		+ sys.version.split()[0] + "; name another one: make PYTHON=python3.12 ...")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --requirement requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

# Kernels are compiled once, before anything that uses them waits for it in silence.
warm: $(READY)
	$(BIN)/trial-analysis warm

figures: warm
	$(BIN)/trial-analysis figures

test: warm
	$(BIN)/python -m pytest --numprocesses auto --dist loadscope

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

notebooks: $(READY)
	$(BIN)/jupyter nbconvert --to notebook --execute --inplace notebooks/*.ipynb

docs: $(READY)
	$(BIN)/sphinx-build -W --keep-going -q -b html docs docs/_build/html

benchmarks: $(READY)
	$(BIN)/python benchmarks/simulation.py
	$(BIN)/python benchmarks/designs.py
	$(BIN)/python benchmarks/endpoints.py

lock:
	uv pip compile --universal --python-version 3.11 --extra dev --generate-hashes \
		--no-header --no-emit-index-url --no-emit-find-links --output-file requirements.lock pyproject.toml

# Each Python with the lowest versions that pyproject.toml declares and with the newest; others' warnings do not count.
PYTHONS ?= 3.11 3.12 3.13 3.14
QUICK   := tests/unit/design tests/unit/planning tests/unit/power tests/unit/proportions tests/unit/quality_of_life \
	tests/unit/reconstruction tests/unit/reported tests/unit/safety tests/unit/survival tests/figures/test_plots_survival.py
matrix:
	@set -e; for python in $(PYTHONS); do for versions in lowest-direct highest; do \
		echo "== Python $$python, $$versions"; place=.matrix/$$(basename $$python)-$$versions; \
		uv venv --quiet --clear --python $$python $$place; \
		uv pip install --quiet --python $$place/bin/python --resolution $$versions --only-binary :all: \
			--no-binary trial-outcome-analysis ".[tests]"; \
		$$place/bin/python -m pytest -q --numprocesses auto -W ignore::DeprecationWarning -W ignore::FutureWarning $(QUICK); \
	done; done

clean:
	rm -rf $(VENV) .matrix .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
