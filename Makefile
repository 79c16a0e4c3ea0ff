# Shortcuts. Each is one command that can also be typed; `make` alone builds the programs, `make help` lists the rest.
.DEFAULT_GOAL := build
.PHONY: build test format demo docs bench clean help

SUITES ?=

build: ## the programs, optimised: build/release/bin
	cmake --preset release -DCURMILL_TESTS=OFF
	cmake --build --preset release

test: ## all tests; make test SUITES="unit oracle" for some
	tests/run $(SUITES)

format: build/venv/installed ## clang-format over every C file
	git ls-files '*.c' '*.h' | xargs build/venv/bin/clang-format -i

demo: ## the local stack with a month of billing on it (deploy/local/down stops it)
	deploy/local/demo

docs: ## what is checked and generated in docs/: the tests of the repository itself
	tests/run repo

bench: ## benchmarks, as ratios within one run
	tests/bench/run

clean: ## everything that was built (not the local stack: deploy/local/down --wipe)
	rm -rf build

help: ## this list
	@sed -n 's/^\([a-z]*\):[^#]*## /\1 - /p' Makefile | awk -F' - ' '{ printf "make %-8s %s\n", $$1, $$2 }'

build/venv/installed:
	@echo "the tools come with the tests: run tests/run once" >&2; exit 1
