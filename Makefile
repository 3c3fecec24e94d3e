# Everything runs in .venv, which is made on first use and again when what is to be installed changes.
PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.installed
OUT ?= antisite-out
DEMO := src/antisite/data/demo_wse2.tif

.PHONY: install demo test clean
.DEFAULT_GOAL := install

install: $(STAMP)

$(STAMP): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "antisite needs Python 3.11 or newer, got $$($(PYTHON) --version 2>&1 | head -n 1) (make PYTHON=python3.12)"; exit 1; }
	@echo "installing into .venv, a few minutes the first time"
	@$(PYTHON) -m venv .venv || { \
	  echo "python's venv module must work (on Debian or Ubuntu: apt-get install python3-venv)"; exit 1; }
	@PIP_DISABLE_PIP_VERSION_CHECK=1 $(BIN)/python -m pip install -qq --constraint constraints.txt --editable '.[dev,dataset]'
	@touch $@

demo: $(STAMP)
	@$(BIN)/antisite detect $(DEMO) --out $(OUT) --overwrite
	@echo "the report: $(OUT)/demo_wse2/report.html"

test: $(STAMP)
	@$(BIN)/ruff check --quiet
	@$(BIN)/ruff format --check --quiet
	@$(BIN)/mypy --no-error-summary
	@$(BIN)/lint-imports >.venv/imports.txt 2>&1 || { cat .venv/imports.txt; exit 1; }
	@OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 $(BIN)/pytest -n auto

clean:
	@rm -rf .venv $(OUT) build dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
