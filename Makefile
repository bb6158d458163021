# What one does with the bank. `make help` lists it.

PYTHON ?= python3
VENV ?= .venv

export PORT BANK_DATA_DIR

RUNTIME_LOCKS := requirements.txt requirements-embedded.txt
ALL_LOCKS := $(RUNTIME_LOCKS) requirements-dev.txt

COMPILE = $(VENV)/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--custom-compile-command 'make lock' $(ARGS)

# If make itself is killed, the bank shall not outlive it (Linux; elsewhere the next start deals with it).
TIED := $(if $(shell command -v setpriv),setpriv --pdeathsig TERM --)
BANK := $(TIED) $(VENV)/bin/python -m bank.embedded
ENGINES := $(VENV)/bin/python -m bank.embedded exec

.DEFAULT_GOAL := help
.PHONY: help run kafka test test-kafka fuzz check bench bench-antifraud bench-events proof-events proof-inactivation proof-planted proof-reports proof-payments verify manage lock clean installed installed-dev

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{ printf "  make %-13s %s\n", $$1, $$2 }'
	@echo
	@echo '  Variables: PORT (8000), KAFKA_PORT (9092), BANK_DATA_DIR (.bank), PYTHON (python3),'
	@echo '    KAFKA_BOOTSTRAP_SERVERS (a Kafka that make run uses in place of its own), ARGS (for manage, tests, benches and proofs)'

run: installed ## run the whole bank in the foreground; Ctrl-C stops it, its data is kept
	@exec $(BANK) run

kafka: installed ## run Apache Kafka in the foreground (needs Java 17, and Maven the first time); Ctrl-C stops it
	@exec $(BANK) kafka

manage: installed ## run manage.py against the bank of `make run`, for example: make manage ARGS=shell
	@exec $(BANK) manage $(ARGS)

verify: installed ## prove the ledger and the histories of the bank of `make run`; ARGS="--since 2026-01-01" checks a part of the ledger
	@$(BANK) manage verify_ledger $(ARGS)
	@exec $(BANK) manage verify_history

test: installed-dev ## run all tests in parallel on engines of their own
	@exec $(ENGINES) -- $(VENV)/bin/pytest -n auto --dist worksteal $(ARGS)

test-kafka: installed-dev ## run the tests of events and faults once more, on Apache Kafka (needs Java 17 and Maven)
	@exec .ci/test-kafka $(VENV)/bin $(ARGS)

fuzz: installed-dev ## send every call of the API whatever may come; ARGS="--examples 200 --seed 1" sends more
	@exec $(ENGINES) -- $(VENV)/bin/python -m proofs.fuzz $(ARGS)

check: installed-dev ## format, lint, types, imports, migrations, API schema, events, translations, settings, advisories
	@exec $(ENGINES) -- .ci/check $(VENV)/bin

bench: installed-dev ## measure the ledger against pgbench, with fsync on
	@exec $(ENGINES) --durable -- $(VENV)/bin/python -m benchmarks $(ARGS)

bench-antifraud: installed-dev ## measure what the facts cost by which antifraud judges, in processor time
	@exec $(ENGINES) -- $(VENV)/bin/python -m benchmarks.antifraud $(ARGS)

bench-events: installed-dev ## measure the relay against a bare producer, and the lag up to a consumer, on Apache Kafka
	@exec $(ENGINES) --durable --apache-kafka -- $(VENV)/bin/python -m benchmarks.events $(ARGS)

proof-events: installed-dev ## kill Apache Kafka, relay and consumers under load, then audit what was consumed
	@exec $(ENGINES) --apache-kafka -- $(VENV)/bin/python -m proofs.events $(ARGS)

proof-inactivation: installed-dev ## close accounts while everything moves money over them, then look for what moved later
	@exec $(ENGINES) -- $(VENV)/bin/python -m proofs.inactivation $(ARGS)

proof-planted: installed-dev ## plant bugs in the bank, one by one, and see that the audit of events finds each
	@exec $(ENGINES) --apache-kafka -- $(VENV)/bin/python -m proofs.planted $(ARGS)

proof-reports: installed-dev ## let the regulator fail and kill workers, then compare what it has accepted with the books
	@exec $(ENGINES) -- $(VENV)/bin/python -m proofs.reports $(ARGS)

proof-payments: installed-dev ## let the rail fail and kill workers, while the money of payments is counted; then compare books
	@exec $(ENGINES) -- $(VENV)/bin/python -m proofs.payments $(ARGS)

lock: installed-dev ## write the hashed locks anew from pyproject.toml; ARGS=--upgrade takes newer versions
	$(COMPILE) pyproject.toml --output-file requirements.txt
	$(COMPILE) --group embedded --constraints requirements.txt --output-file requirements-embedded.txt
	$(COMPILE) --group dev --constraints requirements.txt --constraints requirements-embedded.txt \
		--output-file requirements-dev.txt

clean: ## remove what was installed and built; the bank's data in .bank stays
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis staticfiles
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

installed:
	@$(PYTHON) bank/embedded/install.py $(VENV) $(RUNTIME_LOCKS)

installed-dev:
	@$(PYTHON) bank/embedded/install.py $(VENV) $(ALL_LOCKS)
