# Two commands do everything on a fresh machine: `make demo` and `make test`.
PYTHON ?= $(shell command -v python3.11 || command -v python3.12 || command -v python3.10 || command -v python3)
VENV := .venv
WORKERS ?= auto

.PHONY: demo test clean

demo: $(VENV)/installed
	$(VENV)/bin/tbd demo --output outputs/demo.mp4

test: $(VENV)/installed-dev
	$(VENV)/bin/python -m pytest -n $(WORKERS)

$(VENV)/installed: setup.cfg setup.py pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/pip install --quiet --upgrade pip
	$(VENV)/bin/pip install --quiet --editable .
	touch $@

$(VENV)/installed-dev: $(VENV)/installed
	$(VENV)/bin/pip install --quiet --editable '.[dev]'
	touch $@

clean:
	rm -rf $(VENV) outputs runs build *.egg-info
