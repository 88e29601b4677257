# Thin: every target is a script, and `make help` reads the comments after the double hash.
.DEFAULT_GOAL := help
.PHONY: help up down build test test-fast test-asan test-tsan fuzz bench format tidy

help: ## what can be made
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

up: ## install, build, start server and runner, push the sample project and follow its pipeline
	@PORT='$(PORT)' REGISTRY_PORT='$(REGISTRY_PORT)' deploy/up

down: ## stop what `make up` started
	@deploy/down

build: ## build the release executable (build/release/slipway)
	@deploy/build release

test: ## build and run every test
	@tests/environment/test dev

test-fast: ## the C++ tests that need no engine, and the web's unit tests
	@tests/environment/test dev fast

test-asan: ## the C++ tests with the address and undefined-behaviour sanitizers
	@tests/environment/test asan

test-tsan: ## the C++ tests with the thread sanitizer
	@tests/environment/test tsan

fuzz: ## let each fuzzer of the pipeline language run for FUZZ_SECONDS (60)
	@FUZZ_SECONDS='$(FUZZ_SECONDS)' tests/pipeline/fuzz/run

bench: ## speed and memory beside the physical floor
	@BENCH='$(BENCH)' BENCH_ARGUMENTS='$(BENCH_ARGUMENTS)' tests/environment/bench

format: ## format the C++ and the web's sources
	@deploy/format

tidy: ## check the C++ with clang-tidy
	@deploy/tidy
