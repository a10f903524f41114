# The whole developer interface, and what CI runs. Each verb sets up what it needs.
PYTHON ?= python3.11
BIN := .venv/bin
CONSTRAINTS := $(CURDIR)/constraints.txt
# pip's build environments see the constraints too.
export PIP_CONSTRAINT := $(CONSTRAINTS)
export PIP_BUILD_CONSTRAINT := $(CONSTRAINTS)

PYTEST := $(BIN)/python -m pytest
WORKERS ?= 2
# One thread for each worker; no test may reach for a data hub.
PARALLEL := OMP_NUM_THREADS=1 HF_HUB_OFFLINE=1 $(PYTEST) -n $(WORKERS)
# Annotated shapes are checked at run time in tests.
SHAPES := --jaxtyping-packages=lambent,beartype.beartype
FAST := -m "not slow and not compile"

.DEFAULT_GOAL := help
.PHONY: help setup demo pretrained test test-slow test-compile laws fmt lint type floors docs bench check

help: ## list the verbs
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' Makefile | expand -t 14

setup: .venv/.stamp ## create .venv with everything in it

.venv/.stamp: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet -c constraints.txt -e ".[all,dev,docs]"
	@# pydoclint's fork of docstring_parser overwrites the one jsonargparse needs: a place of its own.
	$(PYTHON) -m venv .venv/pydoclint
	.venv/pydoclint/bin/python -m pip install --quiet -c constraints.txt pydoclint
	@touch $@

demo: setup ## train a small Glow on digits, evaluate it, sample from it
	rm -rf runs/demo
	$(BIN)/lambent train --model glow_digits --data digits --out runs/demo
	$(BIN)/lambent evaluate runs/demo --data digits --yardsticks
	$(BIN)/lambent sample runs/demo --n 100 --temperature 0.7 --out runs/demo/samples/grid.png
	$(BIN)/python benchmarks/digits_agreement.py runs/demo

pretrained: setup ## train again the model that is in the wheel
	rm -rf runs/digits-demo
	OMP_NUM_THREADS=1 $(BIN)/lambent train --model glow_digits --data digits --out runs/digits-demo --device cpu --model.width 48 --train.max_minutes 8 --train.patience 12
	cp runs/digits-demo/config.yaml runs/digits-demo/model/* src/lambent/pretrained/digits-demo/
	$(BIN)/lambent evaluate digits-demo --data digits

test: setup ## the fast suite and the doctests
	@$(PARALLEL) $(SHAPES) $(FAST)

test-slow: setup ## the tests that take minutes
	@HF_HUB_OFFLINE=1 $(PYTEST) tests -m slow

test-compile: setup ## torch.compile, without the hook that checks shapes
	@$(PARALLEL) -p no:jaxtyping tests -m "compile and not slow"

laws: setup ## the law suite alone
	@$(PARALLEL) $(SHAPES) $(FAST) tests/laws

fmt: setup ## format and mend what can be mended
	$(BIN)/ruff format . && $(BIN)/ruff check --fix .

lint: setup ## style, docstrings, spelling
	$(BIN)/ruff format --check . && $(BIN)/ruff check . && .venv/pydoclint/bin/pydoclint --quiet src && $(BIN)/codespell

type: setup ## mypy, strict
	$(BIN)/mypy

floors: setup ## imports point only down
	$(BIN)/lint-imports --no-logo

docs: setup ## build the site into site/
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

bench: setup ## measure again what needs no trained run; a quarter of an hour
	$(BIN)/python benchmarks/coupling_net.py --out benchmarks/results/coupling_net.json
	$(BIN)/python benchmarks/glow_step.py
	$(BIN)/python benchmarks/profile_step.py
	$(BIN)/python benchmarks/latency.py

check: lint type floors docs test-compile ## everything CI does
	@$(MAKE) --no-print-directory test

.NOTPARALLEL:
