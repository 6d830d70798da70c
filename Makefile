# Two commands set everything up on a fresh machine: `make demo` and `make test`.
PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.installed
EXTRAS := camera,web,analytics,spreadsheet,postgres,dev

.PHONY: demo test check bench peers replay kills fuzz bank faults machine sim laws mutants test-money print-faults clean font zbar browser tracer postgres debian openapi

demo: $(STAMP) font zbar
	$(BIN)/pos-loyalty demo

test: $(STAMP) font zbar browser tracer postgres
	$(BIN)/pytest -q -n 2 --dist loadfile

check: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(STAMP)
	$(BIN)/python -m bench.startup
	$(BIN)/python -m bench.checkout
	$(BIN)/python -m bench.cards
	$(BIN)/python -m bench.spool
	$(BIN)/python -m bench.scanner
	$(BIN)/python -m bench.receipts
	$(BIN)/python -m bench.returns
	$(BIN)/python -m bench.ledger
	$(BIN)/python -m bench.snapshot
	$(BIN)/python -m bench.engine
	$(BIN)/python -m bench.real
	$(BIN)/python -m bench.adversarial
	$(BIN)/python -m bench.upload
	$(BIN)/python -m bench.replication
	$(BIN)/python -m bench.window

# Other engines on the same baskets and rules; they are installed by name into var/peers.
peers: $(STAMP)
	$(BIN)/python -m bench.peers

replay: $(STAMP)
	$(BIN)/python -m bench.replay --baskets 20000

openapi: $(STAMP)
	$(BIN)/python -m pos_loyalty.web.openapi
	$(BIN)/python -m sync.server.openapi

$(STAMP): setup.cfg pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install -q --disable-pip-version-check -e '.[$(EXTRAS)]'
	touch $(STAMP)

# Debian packages, only when missing: a font with Cyrillic for receipt pictures; zbar, the camera's second
# decoder; a browser for the page's tests, and strace to make a disk fail.
font:
	@test -f /usr/share/fonts/truetype/dejavu/DejaVuSansMono.ttf || $(MAKE) -s debian PACKAGE=fonts-dejavu-core

zbar:
	@ldconfig -p | grep -q libzbar || $(MAKE) -s debian PACKAGE=libzbar0

browser:
	@test -x /usr/bin/chromium || $(MAKE) -s debian PACKAGE=chromium

tracer:
	@command -v strace >/dev/null || $(MAKE) -s debian PACKAGE=strace

# A server for the tests of head office's other store; the tests start one of their own.
postgres:
	@ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || $(MAKE) -s debian PACKAGE=postgresql

debian:
	@echo "installing the Debian package $(PACKAGE)"
	@test "$$(id -u)" = 0 || { echo "this needs root; run: sudo apt-get install $(PACKAGE)"; exit 1; }
	@apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $(PACKAGE) >/dev/null

clean:
	rm -rf .venv build dist var demo/out *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

# The long form of the kill test: 500 kills of till, daemon and head office.
kills: $(STAMP)
	KILLS=500 $(BIN)/pytest -q -s tests/faults/test_kill.py

# The long form of the lying till: 200 worlds of signed facts that no till makes; and 500 questions for each page of head office.
fuzz: $(STAMP)
	FORGED=200 SCHEMA_EXAMPLES=500 $(BIN)/pytest -q -s --timeout=3600 tests/faults/test_forged_facts.py tests/faults/test_office_schema.py

# The long form of the bank test: real processes in network namespaces, over lines that lose, tear, double and reorder; and in a
# store with a hub, each of whose sides is killed a hundred times, and which lends gift cards and coupons.
bank: $(STAMP)
	BANK_ACTS=300 HUB_ROUNDS=10 HUB_KILLS=10 RESTORE_ACTS=100 RESTORES=5 LENDING_ROUNDS=5 $(BIN)/pytest -q -s --timeout=3600 tests/faults/test_bank.py tests/faults/test_restored_office.py tests/faults/test_hub_lends.py

# The long form of the fault loop: every write and every sync of every verb fails, once, for ever, and with the power.
faults: $(STAMP)
	FAULTS=long $(BIN)/pytest -q -s --timeout=7200 tests/faults/test_fault_loop.py tests/faults/test_till_process.py

# The long form of the state machine: 5,000 runs of everything that a shop does (MACHINE_RUNS=n for more).
machine: $(STAMP)
	MACHINE=long $(BIN)/pytest -q -s --timeout=36000 --show-capture=no tests/faults/test_machine.py

# The simulator: SEEDS=n worlds from fresh seeds (START=s from a given one) on all cores (JOBS=n on fewer), or one world told step by
# step: SEED=n; with RARE=1 worlds in which what is rare happens often. See docs/testing.md.
SEEDS ?= 400
sim: $(STAMP)
	PYTHONHASHSEED=0 $(BIN)/python -m tests.simulation $(if $(SEED),--seed $(SEED),--seeds $(SEEDS) $(if $(START),--start $(START)) $(if $(JOBS),--jobs $(JOBS))) $(if $(RARE),--rare)

# The long form of the laws: 20,000 receipts against the brute force and the laws, 1,000 for byte equality.
laws: $(STAMP)
	LAWS=long $(BIN)/pytest -q -s --timeout=3600 tests/brute tests/property

# Break the engine 600 times in a copy and see that its tests notice; the figure and the survivors stand in tests/mutants/survivors.md.
mutants: $(STAMP)
	$(BIN)/python -m tests.mutants.run --seed 20281231 --count 600 --write

# The long form of the paper's faults: a reset and a moment without power at every byte that goes to a printer, and the tables of docs/testing.md.
print-faults: $(STAMP)
	PRINT_FAULTS=long $(BIN)/pytest -q -s --timeout=3600 tests/faults/test_paper.py tests/unit/test_printer_power.py

# Plant each fault of tests/money and see that a money law notices it; part of `make test` too.
test-money: $(STAMP)
	$(BIN)/python -m tests.money.run
