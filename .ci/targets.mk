# The targets beside build and test: packages, checks, fuzzing, measuring, documents, installation.

# ---------------------------------------------------------------------------------------- packages
.PHONY: need-test need-check
need-test:
	@.ci/deps build test
need-check:
	@.ci/deps build check
.PHONY: deps
deps: ## install the Debian packages that build, tests and checks need (root or sudo); GRAMMAR=17: that parser too
	@.ci/deps build test check
	@[ -z "$(GRAMMAR)" ] || .ci/grammar "$(GRAMMAR)"

# ---------------------------------------------------------------------------------------- checks
CHECKS := check-layers check-size check-format check-shell check-symbols check-headers check-docs check-tidy check-cppcheck
.PHONY: check $(CHECKS)
check: $(CHECKS) test ## every check, then every test

check-layers: ## the include graph is as DESIGN part 1 draws it
	@.ci/check-layers
check-size: ## no file, function or line is too long
	@.ci/check-size
check-symbols: $(LIB) ## we define no symbol that a library exports
	@.ci/check-symbols $(LIB)
check-docs: $(PROGRAM) ## the documents that the program writes are up to date
	@.ci/docs check $(PROGRAM)
check-format: ## clang-format would change nothing
	@.ci/deps check
	@.ci/format check
check-shell: ## shellcheck over our scripts
	@.ci/deps check
	@.ci/check-shell
check-cppcheck: need-check $(O)/gen/sql.h $(O)/gen/facts_text.h ## cppcheck over the sources
	@.ci/check-cppcheck $(O) $(filter-out %_test.c,$(ALL_C) $(KIT))

.PHONY: reformat
reformat: ## have clang-format rewrite the sources
	@.ci/format write

# Every header alone, in C as strict as the sources are compiled.
HEADER_OKS := $(HEADERS:%=$(O)/check/%.ok)
check-headers: $(HEADER_OKS) ## every header compiles alone
$(HEADER_OKS): $(O)/check/%.ok: % $(O)/gen/flags.stamp | $(O)/gen/sql.h $(O)/gen/facts_text.h
	@mkdir -p $(@D)
	@$(CC) $(ALL_CFLAGS) -Werror -MMD -MP -MF $(@:.ok=.d) -MT $@ -fsyntax-only -include $< -x c /dev/null
	@touch $@

# clang-tidy, each file by itself: slow, so what was clean is remembered until it changes.
TIDY_OKS := $(patsubst %,$(O)/check/%.ok,$(ALL_C) $(KIT))
check-tidy: $(TIDY_OKS) ## clang-tidy over the sources
$(TIDY_OKS): $(O)/check/%.ok: % .ci/clang-tidy $(HEADERS) | need-check $(O)/gen/sql.h $(O)/gen/facts_text.h
	@mkdir -p $(@D)
	@echo "  tidy   $<"
	@.ci/tidy $< -std=gnu17 -D_GNU_SOURCE -DMIGRATE_VERSION='""' -DMIGRATE_COMMIT='""' -I. -I$(O)/gen $(PKG_CFLAGS)
	@touch $@
-include $(HEADER_OKS:.ok=.d)

.PHONY: test-grammar
test-grammar: ## run what depends on the parser with that of the other release of Debian (17 beside 15)
	@.ci/other-grammar

# What the tests do for a few schemas, moments and rows, they do here for many.
LONG := $(filter %$(T)_test,$(O)/cmd/property_test $(O)/cmd/crash_test $(O)/cmd/backfill_crash_test)
.PHONY: test-long long-tests
test-long: need-test ## made schemas by the thousand, every recipe killed at every moment: hours (T=cmd/property: one of them)
	@$(MAKE) --no-print-directory MODE=$(MODE) long-tests
	@TEST_SECONDS=100000 MIGRATE_LONG=1 .ci/run-tests $(O) $(LONG)
long-tests: $(LONG) $(PROGRAM)

# ---------------------------------------------------------------------------------------- fuzzing
FUZZ_RUNS    ?= 1000000
FUZZ_SECONDS ?= 600
.PHONY: fuzz fuzzers
fuzz: need-check ## run every *_fuzz.c (FUZZ_RUNS inputs or FUZZ_SECONDS each; T=name for one)
	@$(MAKE) --no-print-directory MODE=fuzz O=build/fuzz fuzzers
	@.ci/fuzz $(FUZZ_RUNS) $(FUZZ_SECONDS) $(patsubst $(O)/%,build/fuzz/%,$(filter %_fuzz,$(SELECTED)))
fuzzers: $(filter %_fuzz,$(SELECTED))

# ---------------------------------------------------------------------------------------- measuring
.PHONY: coverage
coverage: need-test need-check ## run the tests and report which lines they reached
	@$(MAKE) --no-print-directory MODE=coverage O=build/coverage test
	@.ci/coverage build/coverage

.PHONY: bench bench-availability benches
bench: need-test all benches ## time the program beside psql, sqlite3, squawk and the parser
	@for script in .ci/bench/apply.sh .ci/bench/plan.sh; do echo "== $$script"; PROGRAM=$(PROGRAM) "$$script"; done
bench-availability: need-test all benches ## what an application waits while its database is changed (about half an hour)
	@PROGRAM=$(PROGRAM) .ci/bench/availability.sh $(CASES)
benches: $(BENCHES)
# The test runs the bench over a small table.
$(O)/cmd/availability_test: | $(O)/drivers/postgres/traffic_bench

.PHONY: truth
truth: $(PROGRAM) ## compare what is foretold with what servers did (../shared/truth; SHOW=n differences)
	@.ci/truth $(PROGRAM)

# ---------------------------------------------------------------------------------------- documents
.PHONY: docs accept
docs: $(PROGRAM) ## write the documents that the program can write itself
	@.ci/docs write $(PROGRAM)
accept: need-test $(O)/cmd/cli_test $(PROGRAM) ## take what the program prints now as testdata/cli
	@MIGRATE_ACCEPT=1 .ci/run-tests $(O) $(O)/cmd/cli_test
	@git --no-pager diff --stat -- testdata/cli

.PHONY: demo
demo: all ## plan and apply a real project on SQLite, and show its history
	@.ci/demo $(PROGRAM)

# ---------------------------------------------------------------------------------------- installation
.PHONY: install uninstall dist
install: all ## install program, manual, completion, example and documents (DESTDIR, PREFIX)
	@.ci/install $(PROGRAM) "$(DESTDIR)" "$(PREFIX)"
uninstall: ## remove what `make install` put there
	@.ci/install --remove "$(DESTDIR)" "$(PREFIX)"
dist: ## a source archive of HEAD in build/
	@mkdir -p build
	@git archive --format=tar --prefix=migrate-$(VERSION_NUMBER)/ HEAD | gzip -9n > build/migrate-$(VERSION_NUMBER).tar.gz
	@echo build/migrate-$(VERSION_NUMBER).tar.gz

.PHONY: help clean
help: ## this list
	@grep -hE '^[a-z-]+:.*##' Makefile .ci/targets.mk | sort | awk -F ':.*## ' '{printf "  make %-15s %s\n", $$1, $$2}'
clean: ## remove build/
	@rm -rf build
