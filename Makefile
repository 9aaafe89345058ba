# Two commands matter: `make run` shows Ardoise at work, `make test` proves it.
# The work is done by scripts/, which may also be called directly.

.DEFAULT_GOAL := help
SHELL := /bin/bash
# rustup puts cargo on the PATH of login shells only.
export PATH := $(PATH):$(HOME)/.cargo/bin

# What follows the command: `make run ARGS="first-day --tablets 50 --json"`.
ARGS ?=

.PHONY: help run test check room bench chaos years fuzz mutants install

help: ## Show this page
	@echo 'Ardoise: the tablets of a département, managed from one program.'
	@echo
	@echo 'Start here'
	@echo '  make run                    a whole département with simulated tablets, until Ctrl-C'
	@echo '  make run ARGS="first-day --tablets 50 --json"'
	@echo '                              one story, told and checked, with a line of JSON at its end'
	@echo '  make test                   everything: format, lints, documentation, all tests, on'
	@echo '                              SQLite and on a PostgreSQL of its own'
	@echo
	@echo 'While developing'
	@echo '  make check                  format, lints and documentation only'
	@echo '  make room ROOM=store        the tests of one room, with PostgreSQL beside them'
	@echo '  make bench ARGS="--help"    how fast this machine serves tablets; or any other server'
	@echo '  make chaos                  kill -9 of everything amid a storm of reports; nothing is lost'
	@echo '  make chaos ARGS="--seed 7 --rounds 20 --engine sqlite"'
	@echo '  make years                  random years of loans, judged by a ledger; stops at the first that breaks a rule'
	@echo '  make years ARGS="--years 5000 --seed 7"'
	@echo '  make fuzz                   every parser that a tablet reaches, fed with what nobody sends'
	@echo '  make fuzz ARGS="--seconds 20 plist"'
	@echo '  make mutants                change what decides, one thing at a time: does a test notice?'
	@echo '  make mutants ARGS="--since main"'
	@echo '  make install                install what building and testing need, and nothing else'
	@echo
	@echo 'Each command installs the Debian or Ubuntu packages it needs when it may (root, or sudo'
	@echo 'without a password); otherwise it prints the line to type and stops. Repeating is safe.'
	@echo 'Where things are: README.md, then ARCHITECTURE.md.'

run: ## Run the demo: a département, or one story
	@scripts/install.sh build
	@cargo run --package ardoise -- demo $(ARGS)

test: ## Check and test everything, with the time of each stage
	@scripts/test.sh

check: ## Format, lints and documentation
	@scripts/check.sh

room: ## The tests of one room: make room ROOM=store
	@scripts/room.sh "$(ROOM)" $(ARGS)

bench: ## How fast this machine serves tablets; or load any other server
	@scripts/bench.sh $(ARGS)

chaos: ## kill -9 of the server, of PostgreSQL and of what connects them, amid a storm of reports
	@scripts/chaos.sh $(ARGS)

years: ## Random years of loans, lived by simulated tablets and judged by a ledger
	@scripts/years.sh $(ARGS)

fuzz: ## Feed every parser that a tablet reaches with what nobody sends
	@scripts/fuzz.sh $(ARGS)

mutants: ## Change what decides, one thing at a time, and list what no test noticed
	@scripts/mutants.sh $(ARGS)

install: ## Install the packages that building and testing need
	@scripts/install.sh build test lint
