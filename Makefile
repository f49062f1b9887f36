# Build, test and install migrate. `make help` lists the targets.
#   make                      release build into build/release/migrate
#   make MODE=debug test      debug | sanitize | coverage | release
#   make T=plan test          only the tests whose program ends in plan_test or plan_fuzz
#   make WERROR=1             warnings are errors (CI)
#   make GRAMMAR=17 test      with another libpg_query than the system's: see .ci/grammar
VERSION_NUMBER := 0.1.0
MODE    ?= release
WERROR  ?=
PREFIX  ?= /usr/local
DESTDIR ?=
CC      ?= cc
GRAMMAR ?=
O       := build/$(MODE)$(GRAMMAR:%=-grammar%)
SHELL   := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := all
.DELETE_ON_ERROR:
.SUFFIXES:

# ---------------------------------------------------------------------------------------- packages
PACKAGES := libpq sqlite3 libgit2 yaml-0.1 libcrypto jansson cmocka
# libpq and libgit2 are opened at run time, by the driver that needs them: see drivers/postgres/libpq.h
LINKED   := sqlite3 yaml-0.1 libcrypto jansson
APT_BUILD := gcc libc6-dev make pkg-config libpq-dev libsqlite3-dev libgit2-dev libyaml-dev \
             libssl-dev libjansson-dev libcmocka-dev libpg-query-dev libprotobuf-c-dev
APT_TEST := postgresql postgresql-contrib pgbouncer sqlite3 git strace util-linux procps
# What `make check`, `make fuzz` and `make coverage` want on top.
APT_CHECK := clang clang-format clang-tidy libclang-rt-14-dev cppcheck shellcheck valgrind gcovr

# The compiler flags of the packages. GNU make makes an included file before anything else and then
# starts afresh, so a machine without the packages has them installed and found in the same call.
FLAGLESS := help clean deps dist reformat check-layers check-size check-format check-shell
ifneq ($(filter-out $(FLAGLESS),$(or $(MAKECMDGOALS),all)),)
include build/packages.mk
endif
build/packages.mk: Makefile .ci/packages .ci/missing .ci/deps $(wildcard /var/lib/dpkg/status)
	@.ci/packages $@ "$(PACKAGES)" "$(LINKED)"

# A parser of its own comes before the system's, when linking and when running.
comma := ,
ifneq ($(GRAMMAR),)
GRAMMAR_ROOT := $(CURDIR)/build/grammar$(GRAMMAR)/usr
GRAMMAR_LIB  := $(patsubst %/,%,$(dir $(wildcard $(GRAMMAR_ROOT)/lib/*/libpg_query.so)))
PKG_CFLAGS   += $(if $(GRAMMAR_LIB),-isystem $(GRAMMAR_ROOT)/include)
PKG_LIBS     += $(if $(GRAMMAR_LIB),-L$(GRAMMAR_LIB) -Wl$(comma)-rpath$(comma)$(GRAMMAR_LIB))
ifneq ($(filter-out $(FLAGLESS),$(or $(MAKECMDGOALS),all)),)
include build/grammar$(GRAMMAR).mk
endif
endif
build/grammar%.mk: .ci/grammar
	@.ci/grammar $*
	@touch $@

# ---------------------------------------------------------------------------------------- flags
ifeq ($(MODE),fuzz)
override CC := clang
endif
FLAGS_release  := -O2 -D_FORTIFY_SOURCE=2
FLAGS_debug    := -O0 -DDEBUG
# gcc takes the checks that the sanitizers put in for paths on which a format may be NULL.
FLAGS_sanitize := -O1 -fno-omit-frame-pointer -fsanitize=address,undefined \
                  -fno-sanitize-recover=undefined -Wno-format-truncation -Wno-format-overflow
FLAGS_coverage := -O0 --coverage
# Comparisons are not traced: a third of the time, and what they teach the dictionary has.
FLAGS_fuzz     := -O1 -fno-omit-frame-pointer -fsanitize=fuzzer-no-link,address,undefined \
                  -fno-sanitize-recover=undefined -fno-sanitize-coverage=trace-cmp
WARNINGS := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wwrite-strings \
            -Wpointer-arith -Wcast-qual -Wformat=2 -Wundef -Wvla -Wimplicit-fallthrough
ifeq ($(findstring clang,$(shell $(CC) --version 2> /dev/null)),)
WARNINGS += -Wduplicated-cond -Wlogical-op
endif
ifneq ($(WERROR),)
WARNINGS += -Werror
endif
BASE_CFLAGS := -std=gnu17 -g $(FLAGS_$(MODE)) $(WARNINGS) -fvisibility=hidden -fno-common \
               -fstack-protector-strong -fPIE -ffile-prefix-map=$(CURDIR)=. -D_GNU_SOURCE -I. -I$(O)/gen $(PKG_CFLAGS)
# The user's own flags are last; EXTRA_CFLAGS are those of a single object.
ALL_CFLAGS = $(BASE_CFLAGS) $(EXTRA_CFLAGS) $(CFLAGS)
ALL_LDFLAGS := $(filter -fsanitize=% --coverage,$(FLAGS_$(MODE))) -pie -Wl,-z,relro,-z,now -Wl,--as-needed $(LDFLAGS)
LIBS := $(PKG_LIBS) -lpg_query -lpthread -ldl -lm

# ---------------------------------------------------------------------------------------- sources
DIRS    := core/base core/model core/run planner planner/postgres planner/sqlite drivers drivers/postgres \
           drivers/sqlite drivers/source cmd
KIT     := $(sort $(wildcard drivers/testkit/*.c))
ALL_C   := $(sort $(foreach d,$(DIRS),$(wildcard $(d)/*.c)))
HEADERS := $(sort $(foreach d,$(DIRS) drivers/testkit,$(wildcard $(d)/*.h)))
TEST_C  := $(filter %_test.c,$(ALL_C) $(KIT))
FUZZ_C  := $(filter %_fuzz.c,$(ALL_C))
BENCH_C := $(filter %_bench.c,$(ALL_C))
LIB_C   := $(filter-out %_test.c %_fuzz.c %_bench.c cmd/main.c,$(ALL_C))
FUZZ_MAIN := drivers/testkit/fuzz_main
KIT_C   := $(filter-out %_test.c $(FUZZ_MAIN).c,$(KIT))
SQL     := $(sort $(wildcard drivers/postgres/sql/*.sql drivers/sqlite/sql/*.sql))
FACTS   := $(sort $(wildcard planner/postgres/facts/*.tsv))
LIB     := $(O)/libmigrate.a
KITLIB  := $(O)/libtestkit.a
PROGRAM := $(O)/migrate
FUZZERS := $(FUZZ_C:%.c=$(O)/%)
BENCHES := $(BENCH_C:%.c=$(O)/%)
TESTS   := $(TEST_C:%.c=$(O)/%) $(FUZZERS)
# T=name picks the test programs and fuzz targets whose names end so.
T       ?=
SELECTED := $(if $(T),$(filter %$(T)_test %$(T)_fuzz,$(TESTS)),$(TESTS))

# A stamp is rewritten only when its text changes, and with it what depends on it.
write_stamp = @mkdir -p $(@D); text='$(subst ','\'',$(1))'; \
              echo "$$text" | cmp -s - $@ || echo "$$text" > $@
FLAGS_TEXT   := $(CC) $(BASE_CFLAGS) $(CFLAGS) $(ALL_LDFLAGS) $(LIBS)
# Only in a clone of our own: a release unpacked inside another repository is not at its commit.
VERSION_TEXT := $(if $(wildcard .git),$(shell git describe --tags --match 'v[0-9]*' --always --dirty 2> /dev/null | sed 's/^v//'))
.PHONY: FORCE
FORCE:
$(O)/gen/flags.stamp: FORCE
	$(call write_stamp,$(FLAGS_TEXT))
$(O)/gen/sources.stamp: FORCE
	$(call write_stamp,$(LIB_C) $(KIT_C))
$(O)/gen/sql.stamp: FORCE
	$(call write_stamp,$(SQL))
$(O)/gen/facts.stamp: FORCE
	$(call write_stamp,$(FACTS))
$(O)/gen/version.stamp: FORCE
	$(call write_stamp,$(VERSION_NUMBER) $(VERSION_TEXT))

# ---------------------------------------------------------------------------------------- build
.PHONY: all
all: $(PROGRAM) ## build the program into build/$(MODE)/migrate

$(PROGRAM): $(O)/cmd/main.o $(LIB)
	@echo "  link   $@"
	@$(CC) $(ALL_LDFLAGS) -o $@ $< $(LIB) $(LIBS)

$(LIB): $(LIB_C:%.c=$(O)/%.o) $(O)/gen/sql.o $(O)/gen/facts_text.o $(O)/gen/sources.stamp
	@rm -f $@; ar rcs $@ $(filter %.o,$^)

$(KITLIB): $(KIT_C:%.c=$(O)/%.o) $(O)/gen/sources.stamp
	@rm -f $@; ar rcs $@ $(filter %.o,$^)

$(O)/%.o: %.c $(O)/gen/flags.stamp | $(O)/gen/sql.h $(O)/gen/facts_text.h
	@mkdir -p $(@D)
	@echo "  cc     $<"
	@$(CC) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

$(O)/gen/sql.h $(O)/gen/sql.c &: $(SQL) .ci/embed $(O)/gen/sql.stamp
	@mkdir -p $(O)/gen
	@.ci/embed $(O)/gen/sql $(SQL)
$(O)/gen/facts_text.h $(O)/gen/facts_text.c &: $(FACTS) .ci/embed $(O)/gen/facts.stamp
	@mkdir -p $(O)/gen
	@.ci/embed $(O)/gen/facts_text $(FACTS)
$(O)/gen/sql.o $(O)/gen/facts_text.o: %.o: %.c $(O)/gen/flags.stamp
	@$(CC) $(ALL_CFLAGS) -c -o $@ $<

# version.o alone is rebuilt when the commit changes.
$(O)/cmd/version.o: private EXTRA_CFLAGS := -DMIGRATE_VERSION='"$(VERSION_NUMBER)"' -DMIGRATE_COMMIT='"$(VERSION_TEXT)"'
$(O)/cmd/version.o: $(O)/gen/version.stamp

# ---------------------------------------------------------------------------------------- tests
$(TEST_C:%.c=$(O)/%) $(BENCHES): $(O)/%: $(O)/%.o $(KITLIB) $(LIB)
	@echo "  link   $@"
	@$(CC) $(ALL_LDFLAGS) -o $@ $< $(KITLIB) $(LIB) $(LIBS) -lcmocka

# Under MODE=fuzz the fuzzer is the main program; else one that runs the seeds as a test.
ifeq ($(MODE),fuzz)
$(FUZZERS): $(O)/%: $(O)/%.o $(LIB)
	@echo "  link   $@"
	@$(CC) -fsanitize=fuzzer $(ALL_LDFLAGS) -o $@ $< $(LIB) $(LIBS)
else
$(FUZZERS): $(O)/%: $(O)/%.o $(O)/$(FUZZ_MAIN).o $(LIB)
	@echo "  link   $@"
	@$(CC) $(ALL_LDFLAGS) -o $@ $< $(O)/$(FUZZ_MAIN).o $(LIB) $(LIBS) -lcmocka
endif

.PHONY: tests
tests: $(SELECTED) $(PROGRAM) ## build all test programs, run none

.PHONY: test
test: need-test ## install what is missing, build, and run every test
	@$(MAKE) --no-print-directory MODE=$(MODE) tests
	@.ci/run-tests $(O) $(SELECTED)

include .ci/targets.mk
-include $(patsubst %.c,$(O)/%.d,$(ALL_C) $(KIT))
