# Each of these does everything on a fresh machine: `make demo`, `make studio`, `make test`, `make lint`, `make docs`.
PYTHON ?= $(shell command -v python3.11 || command -v python3.12 || command -v python3.10 || command -v python3)
VENV := .venv
WORKERS ?= auto

.PHONY: demo studio test lint docs clean

demo: $(VENV)/installed
	$(VENV)/bin/tbd demo --output outputs/demo.mp4

# a page on this machine
studio: $(VENV)/installed-studio
	$(VENV)/bin/tbd studio --open

# a file's tests share a process, as they share what is costly to make; folders with long tests come first by the alphabet
test: $(VENV)/installed-dev
	$(VENV)/bin/python -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder

# what .pre-commit-config.yaml runs, too
lint: $(VENV)/installed-dev
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/lint-imports
	$(VENV)/bin/mypy
	$(VENV)/bin/pydoclint --quiet tbd
	$(VENV)/bin/hadolint Dockerfile

# a site of plain files in build/site; neither building nor reading it asks the network
docs: $(VENV)/installed-docs
	$(VENV)/bin/mkdocs build --strict

$(VENV)/installed: setup.cfg setup.py pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/pip install --quiet --upgrade pip
	$(VENV)/bin/pip install --quiet --editable .
	touch $@

$(VENV)/installed-dev: $(VENV)/installed
	$(VENV)/bin/pip install --quiet --editable '.[dev]'
	touch $@

$(VENV)/installed-studio: $(VENV)/installed
	$(VENV)/bin/pip install --quiet --editable '.[studio]'
	touch $@

$(VENV)/installed-docs: $(VENV)/installed
	$(VENV)/bin/pip install --quiet --editable '.[docs]'
	touch $@

clean:
	rm -rf $(VENV) outputs runs build *.egg-info .mypy_cache .ruff_cache .import_linter_cache
