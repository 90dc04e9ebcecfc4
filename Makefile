# Every target makes its own virtual environment first; nothing else needs to be installed.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# One thread a process: the tests run in two processes, and small tensors gain nothing from more.
TEST_ENV := OMP_NUM_THREADS=1 MKL_NUM_THREADS=1

.PHONY: install demo test smoke check format site clean

install: $(VENV)/installed

# The pinned torch goes first: left to the resolver, Linux would fetch 3 GB of CUDA libraries.
$(VENV)/installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check "$$(grep '^torch==' constraints.txt)"
	$(BIN)/pip install --quiet --disable-pip-version-check -e '.[dev]' -c constraints.txt
	touch $@

demo: install
	$(BIN)/seatbelt demo --out demo

test: install
	$(TEST_ENV) $(BIN)/python -m pytest -n 2 --dist loadfile -q

# Every figure and table of the paper, far too small to mean anything: that the whole way works.
smoke: install
	$(TEST_ENV) $(BIN)/seatbelt reproduce all larger --scale smoke --engine local --workers 2 --out smoke

check: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

format: install
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# The documentation, in site/. A link that leads nowhere fails it.
site: install
	$(BIN)/python tools/api_pages.py
	$(BIN)/zensical build --clean --strict

clean:
	rm -rf $(VENV) demo smoke site docs/api .pytest_cache .mypy_cache .ruff_cache
