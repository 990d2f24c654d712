# Every target makes what it needs: on a fresh machine `make demo` or `make test` is enough.
# Needs Python 3.11 or newer with venv; PYTHON=python3.12 chooses another one than python3.

PYTHON ?= python3
JOBS ?= 3
BIN := .venv/bin
PIP_INSTALL := -m pip --disable-pip-version-check install --quiet
PYTHON_CODE := archiver benchmarks docs tests
GENERATED := docs/cli.md docs/catalogue.md

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help install peers next demo test lint docs bench bench-pictures screenshots requirements clean

help: ## show this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1	\2/p' Makefile | expand -t 16

install: .venv/.installed ## make .venv with every extra: .venv/bin/archiver runs
.venv/.installed: requirements/develop.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("Python 3.11 or newer is needed: make PYTHON=python3.12 $(MAKECMDGOALS)")'
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python $(PIP_INSTALL) --require-hashes -r requirements/develop.txt
	$(BIN)/python $(PIP_INSTALL) --no-deps --no-build-isolation --editable .
	touch $@

peers: .venv-peers/.installed $(if $(shell command -v npm),.venv-peers/replaywebpage/package) ## make .venv-peers: other people's tools that read what the archiver wrote
.venv-peers/.installed: requirements/peers.txt
	test -x .venv-peers/bin/python || $(PYTHON) -m venv .venv-peers
	.venv-peers/bin/python $(PIP_INSTALL) --require-hashes -r requirements/peers.txt
	touch $@

# ReplayWeb.page in which tests look at exports: AGPL, only ever run beside us. Without npm those tests are skipped.
REPLAY := replaywebpage-2.4.6
REPLAY_SHA256 := 6faef5c261e94b6e83cd6ee975bd0378fd4bc948bb14d36d45c709ffecb261b8
.venv-peers/replaywebpage/package: | .venv-peers/.installed
	mkdir -p $(@D)
	cd $(@D) && if npm pack --silent --fetch-retries=1 $(subst -,@,$(REPLAY)); then \
		echo "$(REPLAY_SHA256)  $(REPLAY).tgz" | sha256sum --check --quiet && tar -xzf $(REPLAY).tgz; \
		else echo "npm does not give $(REPLAY): tests that need it are skipped"; fi

next: .venv-next/.installed ## make .venv-next: the plugin on the Datasette to come
# What is not there comes from .venv, which its .pth file puts behind.
.venv-next/.installed: .venv/.installed requirements/next.txt
	test -x .venv-next/bin/python || $(PYTHON) -m venv .venv-next
	.venv-next/bin/python $(PIP_INSTALL) --require-hashes -r requirements/next.txt
	$(BIN)/python -c 'import site; print(*site.getsitepackages(), sep="\n")' > "$$(.venv-next/bin/python -c 'import site; print(site.getsitepackages()[0])')/behind.pth"
	touch $@

demo: install ## archive a small news site on loopback into demo-archive (anew), and verify it
	rm -rf demo-archive demo-archive-keys
	$(BIN)/archiver demo --into demo-archive

test: install peers next lint ## lint, then every test, also the slow ones and those with Chromium
	$(BIN)/pytest --numprocesses=$(JOBS) --dist=loadfile --no-loadscope-reorder

lint: install ## style, types, layers, unused code, and documents that lag behind the code
	$(BIN)/ruff check $(PYTHON_CODE)
	$(BIN)/ruff format --check $(PYTHON_CODE)
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/vulture
	$(BIN)/cog --check --check-fail-msg='run: make docs' -I docs $(GENERATED)

docs: install ## write the generated parts of the documents anew
	$(BIN)/cog -r -I docs $(GENERATED)

bench: install peers ## print how fast the archiver is beside its peers
	$(BIN)/python benchmarks/help_time.py
	$(BIN)/python benchmarks/verify_speed.py
	$(BIN)/python benchmarks/sources_speed.py
	$(BIN)/python benchmarks/capture.py
	$(BIN)/python benchmarks/many_captures.py 10000
	$(BIN)/python benchmarks/browsing.py --articles 20000

bench-pictures: install ## print what is found of changed pictures, and what is wrongly merged (fetches photographs)
	$(BIN)/python benchmarks/pictures/run.py

screenshots: install ## make the pictures of the documents anew (needs Chromium); look at them
	$(BIN)/python tests/screenshots.py

# Run this after a change to pyproject.toml's dependencies or to a *.in file, and commit the result.
# One list serves every platform and Python from 3.11 on. No address of an index gets into it.
# What is pinned stays while it fits; `make requirements UPGRADE=--upgrade` takes the newest of everything.
COMPILE := $(BIN)/uv pip compile $(UPGRADE) --quiet --universal --python-version 3.11 --generate-hashes --no-header \
	--no-emit-index-url --no-emit-find-links
requirements: install ## pin what pyproject.toml and requirements/*.in ask for, with hashes
	$(BIN)/python $(PIP_INSTALL) uv
	$(COMPILE) --all-extras --output-file requirements/archiver.txt pyproject.toml
	$(COMPILE) --all-extras --output-file requirements/develop.txt pyproject.toml requirements/develop.in
	$(COMPILE) --output-file requirements/peers.txt requirements/peers.in
	$(COMPILE) --prerelease=allow --output-file requirements/next.txt requirements/next.in

clean: ## remove the environments, the demo's archive and every cache
	rm -rf .venv .venv-peers .venv-next demo-archive demo-archive-keys .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis
