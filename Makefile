# `make` lists what there is. PYTHON names another interpreter, PROFILE another set of sounds.

PROFILE ?= mini
SEEDS ?= 3
ROUNDINGS ?= 2

BIN := .venv/bin
INSTALLED := .venv/.installed
LOCKING := _build/locking
# Two test processes share the cores.
THREADS := $(shell n=$$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2); echo $$(( n > 3 ? n / 2 : 1 )))

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help install book test quick lint format baselines picture bench peers oracles lock clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@echo "PROFILE=mini (default, offline), esc10-yamnet or esc10-vggish goes with book and baselines."

install: $(INSTALLED) ## make .venv with the locked dependencies and this package

$(INSTALLED): requirements.lock pyproject.toml
	@PYTHON="$(PYTHON)" sh tools/make_venv.sh .venv
	$(BIN)/python -m pip install --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --disable-pip-version-check --quiet --no-deps --no-build-isolation -e .
	@touch $@

book: install ## run the chapters that changed, check them, render _build/html/index.html
	$(BIN)/xaiaudio book --profile $(PROFILE)

test: lint ## lint, docstring examples, unit tests, and the chapters of mini against their baselines
	OMP_NUM_THREADS=$(THREADS) TF_NUM_INTRAOP_THREADS=$(THREADS) $(BIN)/python -m pytest -n 2 --doctest-modules src
	OMP_NUM_THREADS=$(THREADS) TF_NUM_INTRAOP_THREADS=$(THREADS) $(BIN)/python -m pytest -n 2
	$(BIN)/xaiaudio book --profile mini

quick: lint ## lint and the fast tests
	OMP_NUM_THREADS=$(THREADS) TF_NUM_INTRAOP_THREADS=$(THREADS) $(BIN)/python -m pytest -n 2 -q -m "not oracle and not slow"

lint: install ## check the style and the types of the code
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/python tools/format_cells.py --check
	$(BIN)/mypy

format: install ## put the code in style, and the methods into the table of xaiaudio methods
	$(BIN)/python tools/list_methods.py
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/python tools/format_cells.py

baselines: install ## measure the baselines of PROFILE anew, with SEEDS runs and ROUNDINGS more
	$(BIN)/xaiaudio book --renew-baselines --profile $(PROFILE) --seeds $(SEEDS) --roundings $(ROUNDINGS)

picture: install ## draw the picture of the README anew
	$(BIN)/xaiaudio book --profile mini --only welcome
	$(BIN)/python tools/readme_picture.py

bench: install ## how fast the methods are, as ratios; `make peers` adds other people's
	$(BIN)/python benchmarks/run.py

peers: install ## install other people's implementations, for bench to compare with
	$(BIN)/python -m pip install --disable-pip-version-check --no-deps $$($(BIN)/python -c "import tomllib; print(*tomllib.load(open('pyproject.toml', 'rb'))['dependency-groups']['peers'])")

oracles: install ## install zennit, captum, Quantus, shap and lxt, and compare maps and measures with theirs
	@mkdir -p _build
	$(BIN)/python -m pip freeze --exclude-editable > _build/installed.txt
	$(BIN)/python -m pip install --disable-pip-version-check --constraint _build/installed.txt $$($(BIN)/python -c "import tomllib; print(*tomllib.load(open('pyproject.toml', 'rb'))['dependency-groups']['oracles'])")
	$(BIN)/python -m pip install --disable-pip-version-check --no-deps lxt==2.1 # it names more than its rules need
	OMP_NUM_THREADS=$(THREADS) TF_NUM_INTRAOP_THREADS=$(THREADS) $(BIN)/python -m pytest -m oracle tests/oracles

lock: ## pin the dependencies of pyproject.toml in requirements.lock, with hashes
	@PYTHON="$(PYTHON)" sh tools/make_venv.sh $(LOCKING)
	$(LOCKING)/bin/python -m pip install --disable-pip-version-check --quiet uv
	$(LOCKING)/bin/uv pip compile pyproject.toml --extra book --extra dev --extra onnx --extra corpus --universal \
	  --fork-strategy fewest --python-version 3.11 --generate-hashes \
	  --no-emit-index-url --no-header --quiet -o requirements.lock

clean: ## delete what was built; .venv stays
	rm -rf _build .mypy_cache .pytest_cache .ruff_cache .hypothesis
