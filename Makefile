# `make help` lists the targets. Each one does its own set-up: packages, configure, build.
#
#   PRESET=…         another preset of CMakePresets.json than the target's own
#   ARGS=…           passed on to the program
#   JOBS=…           how many compilers and tests at once
#   PREFIX=…         where `make install` puts it: /usr/local
#   SKIP_PACKAGES=1  don't look for Debian packages: you have the tools from elsewhere

JOBS ?= $(shell nproc)

# Clones at different paths share ccache's entries.
export CCACHE_BASEDIR ?= $(CURDIR)
export CCACHE_NOHASHDIR ?= 1

run_preset := $(or $(PRESET),release)
test_preset := $(or $(PRESET),dev)
shields := build/$(run_preset)/services/shields

packages = $(if $(SKIP_PACKAGES),true,deploy/install-packages $(1))
configure = cmake --preset $(1) --log-level=WARNING -DAEGIS_WERROR=$(if $(CI),ON,OFF) >/dev/null
build = $(call configure,$(1)) && cmake --build build/$(1) --parallel $(JOBS) $(if $(2),--target $(2))
quietly = log=$$(mktemp) && { ( $(1) ) >$$log 2>&1 || { cat $$log; false; } ; } && rm $$log

.PHONY: help image sdk up down logs psql serve migrate test test-asan test-tsan test-generator test-debian test-deploy coverage soak bench install deb health health-detailed format lint clean
.DEFAULT_GOAL := help

help: ## This list
	@awk -F ' *## *' '/^[a-z-]+:.*##/ { sub(/:.*/, "", $$1); printf "  make %-17s %s\n", $$1, $$2 }' Makefile

# The service is run from here, but has its migrations beside its sources.
serve migrate: export MIGRATIONS_DIR ?= services/migrations

serve: ## Build and run the shields service, at port 8000 or the next free one
	@$(call packages,build)
	@$(call build,$(run_preset),shields)
	@exec $(shields) serve $(ARGS)

migrate: ## Apply the pending migrations to the service's database; ARGS="--to 1" up to that one
	@$(call packages,build)
	@$(call quietly,$(call build,$(run_preset),shields))
	@$(shields) db upgrade $(ARGS)

test: ## Build everything and run every test
	@$(call packages,build test)
	@$(call build,$(test_preset))
	@ctest --preset $(test_preset) --parallel $(JOBS) $(ARGS)

test-asan: ## The tests under AddressSanitizer and UndefinedBehaviorSanitizer
	@$(MAKE) --no-print-directory test PRESET=asan

test-tsan: ## The tests under ThreadSanitizer
	@$(MAKE) --no-print-directory test PRESET=tsan

soak: ## The tests that take long, at their full length
	@$(call packages,build test)
	@$(call build,$(run_preset),soak)
	@ctest --test-dir build/$(run_preset) --build-config Soak --tests-regex '^soak_' --output-on-failure $(ARGS)

test-generator: ## Every kind of project that `aegis init` makes, and one that builds Aegis from its sources
	@$(call packages,build test lint)
	@$(call build,dev)
	@ctest --test-dir build/dev --build-config Generator --tests-regex '^generated_' --output-on-failure $(ARGS)

test-debian: deb ## The Debian packages on a fresh Debian: docs/getting-started.md is followed there; as root
	@tests/install/fresh_debian build/$(run_preset)/*.deb

test-deploy: ## The service in containers, with faults; ENGINE_LAB=… where no engine runs; ARGS="-k kill" some of it
	@tests/deploy/run

coverage: ## The lines that the tests reach, file by file
	@$(MAKE) --no-print-directory test PRESET=coverage
	@llvm-profdata-19 merge --sparse build/coverage/profiles/*.profraw -o build/coverage/coverage.profdata
	@llvm-cov-19 report --instr-profile=build/coverage/coverage.profdata --sources framework services \
	  $$(find build/coverage/tests -type f -executable -name '*_test' -printf '--object %p ')

bench: ## Measure, each figure beside a reference of the same run
	@$(call packages,build bench)
	@$(call build,$(run_preset),bench)
	@build/$(run_preset)/tests/support/with_postgres --set fsync=on --set full_page_writes=on \
	  --set shared_buffers=128MB python3 tests/bench/run.py --build build/$(run_preset) $(ARGS)

# What `cmake --install` and cpack want to be built.
installed := aegis aegis_testing aegis_program

install: ## Build the library and the `aegis` program and install them
	@$(call packages,build)
	@$(call build,$(run_preset),$(installed))
	@cmake --install build/$(run_preset) --prefix $(or $(PREFIX),/usr/local) | tail -1

deb: ## Make Debian packages of them
	@$(call packages,build deb)
	@$(call build,$(run_preset),$(installed))
	@cd build/$(run_preset) && cpack

health: ## Ask the running service how it is
	@$(call packages,build)
	@$(call quietly,$(call build,$(run_preset),shields))
	@$(shields) health $(ARGS)

health-detailed: ## The same with every component
	@$(MAKE) --no-print-directory health ARGS="--detailed $(ARGS)"

# As docker compose finds it: in the environment, or in .env.
tag = $(or $(TAG),$(shell sed -nE "s/^TAG=[\"']?([^\"']*).*/\1/p" .env 2>/dev/null),latest)

image: ## Build the container image `shields`; TAG=1.2.3, ARGS="--network host" and the like
	@deploy/build-image -t shields:$(tag) $(ARGS) .

sdk: ## Build the image `aegis-sdk`, in which the images of projects are built
	@deploy/build-image --target sdk -t aegis-sdk:0.1.0 -t aegis-sdk $(ARGS) .

up: image ## Start PostgreSQL, api, worker and scheduler in containers; SCALE="--scale api=2"
	@docker compose up --detach --wait $(SCALE)

down: ## Stop the containers; ARGS=--volumes deletes their data as well
	@docker compose --profile '*' down $(ARGS)

logs: ## Follow what the containers log
	@docker compose logs --follow $(ARGS)

psql: ## Open a shell on the containers' database
	@docker compose exec postgres psql -U aegis -d aegis_db $(ARGS)

format: ## Format the sources
	@$(call packages,lint)
	@git ls-files '*.h' '*.cpp' | xargs clang-format-19 -i

lint: ## Check the format, and the sources with clang-tidy
	@$(call packages,build lint)
	@git ls-files '*.h' '*.cpp' | xargs clang-format-19 --dry-run --Werror
	@$(call build,$(test_preset))
	@git ls-files 'framework/*.cpp' 'services/*.cpp' | xargs -n 1 -P $(JOBS) clang-tidy-19 --quiet -p build/$(test_preset)

clean: ## Remove the build directories
	@rm -rf build
