# Set-up, checks and the demo. Needs Python 3.11 to 3.13 and make, nothing else; what it installs goes into .venv.

PYTHON ?= python3
CORES ?= 2
# requirements-gpu.lock adds CUDA. For all calls, or .venv is made anew: export LOCK=requirements-gpu.lock
LOCK ?= requirements.lock
# Makes the locks, and only them.
UV ?= uv

BIN := .venv/bin
# The copy of the lock that the environment was made from. It is written last, so an interrupted set-up starts afresh.
READY := .venv/$(LOCK)
DEMO := results/shapes_demo

# Jobs call `python` and find the one of the environment.
export PATH := $(CURDIR)/$(BIN):$(PATH)
# Where it is set, each job would compile the library again.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help setup demo test test-slurm check docs format generated bench measured restore verify prune lock clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-10s %s\n", $$1, $$2}' Makefile

setup: $(READY) ## make .venv from the lock, every file checked against its hash

# --compile: without bytecode every import of TensorFlow takes 27 s in place of 4, whatever pip's configuration says.
# Two packages come as source only. They are built with the locked setuptools, so it goes first.
$(READY): requirements.lock $(LOCK)
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' || { \
		echo "Python 3.11, 3.12 or 3.13 is needed; '$(PYTHON)' is: $$($(PYTHON) --version 2>&1)." >&2; \
		echo "Name another one: make $(or $(MAKECMDGOALS),setup) PYTHON=python3.12" >&2; \
		exit 1; \
	}
	@echo "Installing $(LOCK) into .venv: about 1 GB to download (several with CUDA), one to some minutes"
	@rm -rf .venv
	@$(PYTHON) -m venv .venv
	@awk '/^[a-z]/ {keep = /^setuptools==/} keep' requirements.lock > .venv/setuptools.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --compile \
		--requirement .venv/setuptools.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --compile --no-deps \
		--no-build-isolation --requirement $(LOCK)
	@# The command `multilabel`, which runs the code as it lies here.
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-index --no-deps --no-build-isolation --editable .
	@cp $(LOCK) $@

demo: $(READY) ## run the whole workflow on generated data; print Table 2
	$(BIN)/snakemake all miml --cores $(CORES) --configfile config/demo.yaml
	@echo
	@cat $(DEMO)/tables/table2.md
	@echo
	@echo "Figures: $(DEMO)/figures    Tables: $(DEMO)/tables"

test: $(READY) ## run the tests
	$(BIN)/python -m pytest --numprocesses $(CORES) --dist loadfile --no-loadscope-reorder

test-slurm: $(READY) ## run the workflow through a SLURM on this machine; needs root and tests/slurm/cluster.sh install
	$(BIN)/python -m pytest tests/slurm

docs: $(READY) ## make a site of docs/, in site/
	$(BIN)/mkdocs build --quiet

# Linted with the demo's configuration: the full one asks for COCO to be there.
check: $(READY) docs ## lint, formats, types, and whether the site can be made
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/snakefmt --check Snakefile workflow/rules
	$(BIN)/mypy
	$(BIN)/snakemake --lint --configfile config/demo.yaml

format: $(READY) ## format the code
	$(BIN)/ruff check --fix
	$(BIN)/ruff format
	$(BIN)/snakefmt Snakefile workflow/rules

generated: $(READY) ## write what follows from the code: config/README.md, schema, DVC's stages, SLURM's groups
	$(BIN)/python workflow/schemas/generate.py
	PYTHONPATH=workflow $(BIN)/python workflow/stages.py

bench: $(READY) ## time the library beside its peers; some of them: make bench ONLY="labels linear"
	PYTHONPATH=workflow $(BIN)/python tests/benchmarks/run.py $(ONLY)

measured: $(READY) ## copy the tables of finished runs to docs/measured.md: make measured DATASETS="shapes_demo msrc_own"
	PYTHONPATH=workflow $(BIN)/python workflow/measured.py $(DATASETS)

restore: $(READY) ## after dvc pull: the files count as made here; the demo's: make restore CONFIG=config/demo.yaml
	$(BIN)/python workflow/versions.py restore $(if $(CONFIG),--configfile $(CONFIG))

verify: $(READY) ## check that files are still those that runs were made from
	$(BIN)/python workflow/versions.py verify $(if $(CONFIG),--configfile $(CONFIG))

prune: $(READY) ## list runs that the configuration no longer names; remove them: make prune YES=1
	$(BIN)/python workflow/versions.py prune $(if $(CONFIG),--configfile $(CONFIG)) $(if $(YES),--yes)

# Keeps the versions that are there and changes only what pyproject.toml asks for. One version for all Pythons and
# machines, so that results compare.
COMPILE = $(UV) pip compile --quiet --universal --fork-strategy fewest --generate-hashes --no-annotate \
	--no-emit-index-url --custom-compile-command 'make lock' $(UPGRADE)

lock: ## write the locks from pyproject.toml (needs uv; newer versions: UPGRADE=--upgrade)
	$(COMPILE) --extra workflow --extra slurm --extra dev --output-file requirements.lock pyproject.toml
	cp requirements-gpu.lock requirements-gpu.lock.whole
	$(COMPILE) --extra gpu --constraint requirements.lock --output-file requirements-gpu.lock.whole pyproject.toml
	{ echo "# What the extra gpu adds, on Linux. Written by: make lock"; echo "--requirement requirements.lock"; \
		awk 'NR == FNR {if (/^[a-z]/) locked[$$1]; next} /^[a-z]/ {keep = !($$1 in locked)} keep' \
		requirements.lock requirements-gpu.lock.whole; } > requirements-gpu.lock
	rm requirements-gpu.lock.whole

clean: ## remove the environment and the tools' caches; results stay
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis
