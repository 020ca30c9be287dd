# Every target sets up what it needs: a virtual environment in .venv, with the versions of constraints.txt.
# Needs Python 3.11 to 3.13 and make. PYTHON=python3.12 picks another interpreter; TORCH=PATH a PyTorch wheel of your own.
PYTHON ?= python3
TORCH ?= torch==2.13.0
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt
PYTEST := OMP_NUM_THREADS=1 $(BIN)/python -m pytest

# Wheel sizes of constraints.txt on Linux x86-64, added up.
define ANNOUNCEMENT
About to download into $(VENV), once:
  - PyTorch 2.13.0: about 190 MB as CPU build; where pip takes the ordinary Linux build instead, several GB of CUDA
    libraries come along. README.md, "Installing", says how to bring the CPU build beforehand (Ctrl-C now to do so).
  - everything else: about 240 MB (polars, pyarrow, numba, NumPy, Matplotlib and smaller packages).
endef
export ANNOUNCEMENT

.PHONY: help demo test lint bench soak clean

help:  ## This list
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/'

demo: $(VENV)/.train  ## A simulated plant, learned and watched, in about a minute
	$(BIN)/redshank demo

test: $(VENV)/.dev $(VENV)/.system lint  ## Linters, types and all fast tests
	$(PYTEST) -n auto --dist loadgroup

lint: $(VENV)/.dev  ## ruff, mypy and the import rules
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(VENV)/.dev  ## Accuracy and speed, records in benchmarks/results
	for script in benchmarks/speed/*.py benchmarks/accuracy/*.py; do $(BIN)/python $$script || exit 1; done
	$(BIN)/python benchmarks/table.py

soak: $(VENV)/.dev  ## The demo with more seeds and devices than a test has time for
	$(BIN)/python benchmarks/accuracy/demo.py --seeds 20 --detectors ridge --record demo-soak

clean:  ## Remove the virtual environment and caches
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis

# Stamps: a step runs again when what it depends on has changed.
$(VENV)/.python:
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' \
	  || { echo "Redshank needs Python 3.11 to 3.13; $(PYTHON) is $$($(PYTHON) --version 2>&1). Try: make PYTHON=python3.12"; exit 2; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null \
	  || { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && apt-get update -q && apt-get install -y -q python3-venv; } \
	  || { echo "Python's venv module is missing; on Debian and Ubuntu: apt-get install python3-venv"; exit 2; }
	$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/.torch: $(VENV)/.python constraints.txt
	@$(BIN)/python -c 'import torch' 2>/dev/null && echo "PyTorch is there already: $$($(BIN)/python -c 'import torch; print(torch.__version__)')" \
	  || { echo "$$ANNOUNCEMENT"; $(PIP) $(TORCH); }
	@touch $@

$(VENV)/.train: $(VENV)/.torch pyproject.toml
	$(PIP) --editable '.[train]'
	@touch $@

$(VENV)/.dev: $(VENV)/.train
	$(PIP) --editable '.[train,dev]'
	@touch $@

# A browser for the tests of the report. Without root the tests that need it skip and say so.
$(VENV)/.system: $(VENV)/.python
	@command -v chromium >/dev/null || [ "$$(id -u)" != 0 ] || ! command -v apt-get >/dev/null \
	  || { apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends chromium fonts-dejavu-core; }
	@touch $@
