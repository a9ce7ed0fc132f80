# Each target sets up what it needs: on a bare machine, `make demo` or `make test` is the first command.
VENV ?= .venv
PYTHON ?= python3
BIN := $(VENV)/bin
READY := $(VENV)/.ready
# What the demo shows needs a tenth of everything; where everything is there already, it is enough.
SHOWN := $(if $(wildcard $(READY)),$(READY),$(VENV)/.demo)
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt
MEMBERS := pyproject.toml envs/pyproject.toml $(wildcard plugins/*/pyproject.toml)
SOURCES := zoo envs/src $(wildcard plugins/*/src)
export OMP_NUM_THREADS ?= 1
# Tests start a thousand processes: each would compile every module anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: demo test test-fast test-full docs dist setup types lint format speed tables bench-smoke clean
.DELETE_ON_ERROR:

demo: $(SHOWN)  ## ReLOAD against the exact optimum, beside plain gradient descent-ascent
	$(BIN)/zoo train reload two-state
	$(BIN)/zoo train gda two-state || test $$? -eq 3  # 3: finished, not converged; that is its point
	$(BIN)/zoo eval runs/two-state/reload runs/two-state/gda constraints
	$(BIN)/zoo plot runs/two-state/reload runs/two-state/gda -o plots/demo.png

test: $(READY)  ## every test
	$(BIN)/python -m pytest -n 2 --dist worksteal $(PYTEST)

test-fast: $(READY)  ## what needs neither processes nor much time, in a minute: for a glance after each change
	$(BIN)/python -m pytest -q -m "not slow and not e2e" $(PYTEST)

LIGHTEVAL := build/lighteval
test-full: $(READY)  ## every test with every extra, lighteval's grader as a peer among them, in an environment of its own
	test -x $(LIGHTEVAL)/bin/python || $(PYTHON) -m venv $(LIGHTEVAL)
	$(LIGHTEVAL)/bin/python -m pip install --quiet --disable-pip-version-check lighteval==0.13.0
	$(INSTALL) --editable ".[docs,notebook]"
	$(INSTALL) --editable './envs[datasets,lora,text]' --editable './plugins/trackers[mlflow,wandb]' \
	  --editable './plugins/bench[dask,ray,slurm]' playwright  # chromium, if any, is the system's
	ZOO_LIGHTEVAL_PYTHON=$(CURDIR)/$(LIGHTEVAL)/bin/python ZOO_REQUIRE_EXTRAS=1 \
	  $(BIN)/python -m pytest -n 2 --dist worksteal $(PYTEST)

docs: $(READY)  ## the site, in build/site
	$(INSTALL) --editable ".[docs]"
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --quiet
	@echo "build/site/index.html"

setup: $(READY)  ## the virtual environment, with everything installed editable

$(READY): $(MEMBERS) requirements-dev.txt constraints.txt | $(BIN)/python
	$(INSTALL) --requirement requirements-dev.txt
	touch $@

$(VENV)/.demo: $(MEMBERS) constraints.txt | $(BIN)/python
	$(INSTALL) --editable . --editable ./envs --editable ./plugins/reload --editable './plugins/bench[plot]'
	touch $@

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "zoo needs Python 3.11 or newer; this is $$($(PYTHON) --version). Try: make PYTHON=python3.12 ..."; exit 2; }
	$(PYTHON) -m venv $(VENV)

DISTRIBUTIONS := . envs $(patsubst %/pyproject.toml,%,$(wildcard plugins/*/pyproject.toml))
SMOKED := build/smoke
dist: $(READY)  ## wheels and source distributions in dist, installed into an empty environment and tried there
	rm -rf dist $(SMOKED)
	for member in $(DISTRIBUTIONS); do $(BIN)/python -m build --no-isolation --outdir dist $$member > build.log 2>&1 || { cat build.log; exit 1; }; done; rm -f build.log
	$(PYTHON) -m venv $(SMOKED)
	$(SMOKED)/bin/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --find-links dist \
	  zoo-core zoo-envs zoo-reload 'zoo-bench[plot]' zoo-view zoo-complete
	cd $(SMOKED) && bin/python $(CURDIR)/.ci/smoke.py

types: $(READY)
	$(BIN)/mypy $(SOURCES)

lint: $(READY)  ## style, types, import contracts, sizes of files and folders
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy $(SOURCES)
	$(BIN)/lint-imports
	$(BIN)/python .ci/layout.py

format: $(READY)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

speed: $(READY)  ## our speed beside named peers, alternating in one run
	$(INSTALL) --editable ".[peers]"
	for script in $$(grep -l __main__ benchmarks/speed/*.py); do $(BIN)/python $$script || exit 1; done

SUITES ?= smoke reload fr lambda-r composite-rm induction transience harp rpo tvd
tables: $(READY)  ## run what is missing of the suites, then write benchmarks/README.md and benchmarks/results anew
	for suite in $(SUITES); do $(BIN)/zoo bench $$suite || exit 1; done
	$(BIN)/python benchmarks/tables.py $(SUITES)

SMOKE := build/bench-smoke
bench-smoke: $(READY)  ## run the smoke suite from nothing; fails where its table leaves the committed intervals
	rm -rf $(SMOKE)
	$(BIN)/zoo bench smoke --dir $(SMOKE)
	$(BIN)/zoo table smoke --dir $(SMOKE) --against benchmarks/results/smoke.csv

clean:
	rm -rf $(VENV) build dist .pytest_cache .mypy_cache .ruff_cache .import_linter_cache
