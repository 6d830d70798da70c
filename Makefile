# Two commands set everything up on a fresh machine: `make demo` and `make test`.
PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.installed
EXTRAS := camera,web,analytics,dev

.PHONY: demo test check bench replay kills clean font browser tracer debian openapi

demo: $(STAMP) font
	$(BIN)/pos-loyalty demo

test: $(STAMP) font browser tracer
	$(BIN)/pytest -q

check: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(STAMP)
	$(BIN)/python -m bench.startup
	$(BIN)/python -m bench.checkout
	$(BIN)/python -m bench.cards

replay: $(STAMP)
	$(BIN)/python -m bench.replay --baskets 20000

openapi: $(STAMP)
	$(BIN)/python -m pos_loyalty.web.openapi

$(STAMP): setup.cfg pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install -q --disable-pip-version-check -e '.[$(EXTRAS)]'
	touch $(STAMP)

# Debian packages, only when missing: a font with Cyrillic for receipt pictures; a browser for the page's tests, and strace to make
# a disk fail.
font:
	@test -f /usr/share/fonts/truetype/dejavu/DejaVuSansMono.ttf || $(MAKE) -s debian PACKAGE=fonts-dejavu-core

browser:
	@test -x /usr/bin/chromium || $(MAKE) -s debian PACKAGE=chromium

tracer:
	@command -v strace >/dev/null || $(MAKE) -s debian PACKAGE=strace

debian:
	@echo "installing the Debian package $(PACKAGE)"
	@test "$$(id -u)" = 0 || { echo "this needs root; run: sudo apt-get install $(PACKAGE)"; exit 1; }
	@apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $(PACKAGE) >/dev/null

clean:
	rm -rf .venv build dist var demo/out *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

# The long form of the kill test: 200 kills of till, daemon and head office.
kills: $(STAMP)
	KILLS=200 $(BIN)/pytest -q -s tests/faults/test_kill.py
