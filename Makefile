# Every target makes its own virtual environment first; nothing else needs to be installed.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# One thread a process: the tests run in two processes, and small tensors gain nothing from more.
OLDEST := .venv-oldest
SHORT := tests/data tests/models/test_pretrained.py tests/training/test_loop.py tests/cli/test_data.py tests/test_settings.py
SHARE ?= 1
TEST_ENV := OMP_NUM_THREADS=1 MKL_NUM_THREADS=1

.PHONY: install demo test torture oldest smoke check format site lock licences vulnerabilities clean

install: $(VENV)/installed

# The pinned torch goes first: left to the resolver, Linux would fetch 3 GB of CUDA libraries. All else has hashes.
$(VENV)/installed: pyproject.toml constraints.txt requirements.lock
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check "$$(grep '^torch==' constraints.txt)"
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r requirements.lock
	$(BIN)/pip install --quiet --disable-pip-version-check -e '.[dev]' -c constraints.txt
	touch $@

demo: install
	$(BIN)/seatbelt demo --out demo

test: install
	$(TEST_ENV) $(BIN)/python -m pytest -n 2 --dist loadfile -q

# Kills, damaged files, wrong arguments, hostile input, faults of the machine. A twentieth takes two minutes of CPU.
torture: install
	$(TEST_ENV) $(BIN)/python -m tests.torture --share $(SHARE)

# The core dependencies at the oldest versions that are allowed, and a short part of the tests.
oldest:
	$(PYTHON) -m venv $(OLDEST)
	$(OLDEST)/bin/pip install --quiet --disable-pip-version-check "$$(grep '^torch==' constraints.txt)"
	$(PYTHON) supply/oldest.py > $(OLDEST)/core.txt
	$(OLDEST)/bin/pip install --quiet --disable-pip-version-check -r $(OLDEST)/core.txt pytest hypothesis
	$(OLDEST)/bin/pip install --quiet --disable-pip-version-check --no-deps -e .
	$(TEST_ENV) $(OLDEST)/bin/python -m pytest -q $(SHORT)

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

# The exact versions of everything but torch, with the hashes that the public index gives.
lock: install
	$(BIN)/pip install --quiet uv
	$(BIN)/uv pip compile pyproject.toml -c constraints.txt -o requirements.lock --quiet

licences: install
	$(BIN)/python supply/licences.py --write

# Asks the public data base of known vulnerabilities; needs the network.
vulnerabilities: install
	$(BIN)/pip install --quiet pip-audit
	$(BIN)/pip-audit --requirement requirements.lock --no-deps --disable-pip

clean:
	rm -rf $(VENV) $(OLDEST) demo smoke site docs/api .pytest_cache .mypy_cache .ruff_cache
