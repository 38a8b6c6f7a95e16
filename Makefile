# Kontor. `make demo` and `make test` do all their own set-up; `make help` lists the rest.

ifeq ($(origin CC),default)
CC = gcc
endif
PREFIX ?= /usr/local
JOBS ?= $(shell nproc 2>/dev/null || echo 2)
SECONDS ?= 30
WERROR ?= -Werror

# Each way of building has a place of its own, so that they never mix.
ifdef FUZZ
BUILD ?= build/fuzz
else ifdef SANITIZE
BUILD ?= build-asan
else ifneq ($(findstring clang,$(CC)),)
BUILD ?= build-clang
else
BUILD ?= build
endif

WARNINGS = -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes -Wvla $(WERROR)
ifdef SANITIZE
HARDEN = -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
else ifdef FUZZ
HARDEN = -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
else
HARDEN = -fstack-protector-strong -D_FORTIFY_SOURCE=2
endif
# libsmartcols and libxml2 lie in directories of their own on Debian.
CPPFLAGS += -I. -isystem /usr/include/libsmartcols -isystem /usr/include/libxml2
CFLAGS ?= -O2 -g
KT_CFLAGS = -std=gnu11 -fPIC -pthread $(CFLAGS) $(HARDEN) $(WARNINGS) -MMD -MP
KT_LDFLAGS = $(LDFLAGS) $(filter -fsanitize% -fno-sanitize%,$(HARDEN)) -pthread -Wl,--as-needed

# ---- Sources are found, not listed -----------------------------------------------------------------

# The SQL surface is beside the library, which needs no SQLite.
SQL_SOURCES = $(wildcard engine/sql/*.c)
LIB_SOURCES = $(filter-out $(SQL_SOURCES),$(wildcard storage/*.c engine/*.c engine/*/*.c))
CLI_SOURCES = $(wildcard cli/*.c)
TEST_SOURCES = $(wildcard tests/test_*.c tests/laws/*.c tests/crash/test_*.c tests/outside/test_*.c)
# What a test preloads is a library of its own: linked in, it would take the place of libc's open, write and fsync.
SHIM_SOURCES = $(wildcard tests/crash/*_shim.c)
HELP_SOURCES = $(filter-out $(TEST_SOURCES) $(SHIM_SOURCES),$(wildcard tests/*.c tests/crash/*.c tests/outside/*.c))
TEST_SCRIPTS = $(wildcard tests/test_*.sh tests/laws/test_*.sh tests/crash/test_*.sh tests/outside/test_*.sh)
FUZZ_SOURCES = $(wildcard tests/fuzz/fuzz_*.c)
BENCH_SOURCES = $(filter-out bench/peer_%,$(wildcard bench/*.c))
BENCH_LIB_SOURCES = $(wildcard bench/lib/*.c)

LIB_OBJECTS = $(LIB_SOURCES:%.c=$(BUILD)/obj/%.o)
# Twice: linked into a program beside SQLite, and as an extension, which calls SQLite through what loads it.
SQL_OBJECTS = $(SQL_SOURCES:%.c=$(BUILD)/obj/%.o)
EXTENSION_OBJECTS = $(SQL_SOURCES:engine/sql/%.c=$(BUILD)/obj/extension/%.o)
CLI_OBJECTS = $(CLI_SOURCES:%.c=$(BUILD)/obj/%.o)
HELP_OBJECTS = $(HELP_SOURCES:%.c=$(BUILD)/obj/%.o)
TEST_PROGRAMS = $(TEST_SOURCES:%.c=$(BUILD)/%)
SHIMS = $(SHIM_SOURCES:tests/crash/%_shim.c=$(BUILD)/tests/lib%.so)
BENCH_PROGRAMS = $(BENCH_SOURCES:%.c=$(BUILD)/%)
BENCH_LIB_OBJECTS = $(BENCH_LIB_SOURCES:%.c=$(BUILD)/obj/%.o)
FUZZ_PROGRAMS = $(FUZZ_SOURCES:tests/fuzz/%.c=$(BUILD)/%)

# A library is linked where a source includes its header, and not otherwise.
uses = $(if $(shell grep -lsE '^\#include <$(1)' $(2)),$(3))
libs = $(call uses,lmdb\.h,$(1),-llmdb) $(call uses,sodium,$(1),-lsodium) $(call uses,msgpack,$(1),-lmsgpackc) \
	$(call uses,openssl/,$(1),-lcrypto) $(call uses,csv\.h,$(1),-lcsv) $(call uses,jansson\.h,$(1),-ljansson) \
	$(call uses,libxml/,$(1),-lxml2) $(call uses,libsmartcols,$(1),-lsmartcols) $(call uses,microhttpd\.h,$(1),-lmicrohttpd)
LIB_LIBS := $(call libs,$(LIB_SOURCES) $(wildcard storage/*.h engine/*.h engine/*/*.h))
CLI_LIBS := $(call libs,$(CLI_SOURCES) $(wildcard cli/*.h))

PUBLIC_HEADERS = engine/kontor.h engine/kontor_access.h $(wildcard engine/kontor_audit.h) engine/kontor_exchange.h \
	engine/kontor_trust.h engine/day.h engine/money.h storage/error.h
VERSION := $(shell sed -n 's/^.define KT_VERSION "\(.*\)"/\1/p' engine/kontor.h)
SONAME = libkontor.so.$(firstword $(subst ., ,$(VERSION)))
SHARED = libkontor.so.$(VERSION)

# V=1 shows the commands themselves.
ifdef V
say = @:
Q =
else
say = @printf '  %-5s %s\n'
Q = @
endif

# How the commands below build what they need: without a word where there is nothing to do.
QUIETLY = --no-print-directory $(if $(V),,-s)

.DELETE_ON_ERROR:
.SECONDARY:
.PHONY: all setup test tests demo layers bench benches bench-scale bench-peers fuzz fuzz-programs nightly install \
	uninstall clean help format-check

# ---- Building ----------------------------------------------------------------------------------------

ifeq ($(CLI_SOURCES),)
all: $(BUILD)/libkontor.a $(BUILD)/$(SHARED)
else
all: $(BUILD)/libkontor.a $(BUILD)/$(SHARED) $(BUILD)/kontor $(BUILD)/kontor_sql.so
endif

# Says once, and clearly, which Debian packages are missing, before the compiler says it less clearly.
$(BUILD)/.packages: setup.sh
	@mkdir -p $(@D)
	@CC="$(CC)" ./setup.sh check
	@touch $@

$(BUILD)/obj/%.o: %.c Makefile | $(BUILD)/.packages
	$(say) CC $<
	@mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) $(KT_CFLAGS) -c -o $@ $<

$(SQL_OBJECTS): KT_CFLAGS += -DSQLITE_CORE

$(BUILD)/obj/extension/%.o: engine/sql/%.c Makefile | $(BUILD)/.packages
	$(say) CC $@
	@mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) $(KT_CFLAGS) -c -o $@ $<

$(BUILD)/libkontor.a: $(LIB_OBJECTS)
	$(say) AR $@
	$(Q)rm -f $@ && ar rcs $@ $^

# Only what the public headers declare leaves the shared library.
$(BUILD)/libkontor.map: $(PUBLIC_HEADERS) Makefile | $(BUILD)/.packages
	@mkdir -p $(@D)
	$(Q){ echo '{ global:'; grep -ohE '\bkt_[a-z0-9_]+\(' $(PUBLIC_HEADERS) | tr -d '(' | sort -u | sed 's/$$/;/'; \
		echo 'local: *; };'; } > $@

$(BUILD)/$(SHARED): $(LIB_OBJECTS) $(BUILD)/libkontor.map
	$(say) LINK $@
	$(Q)$(CC) $(KT_CFLAGS) -shared -Wl,-soname,$(SONAME) -Wl,--version-script=$(BUILD)/libkontor.map $(KT_LDFLAGS) \
		-o $@ $(LIB_OBJECTS) $(LIB_LIBS)
	$(Q)ln -sf $(SHARED) $(BUILD)/$(SONAME) && ln -sf $(SONAME) $(BUILD)/libkontor.so

$(BUILD)/libsql.a: $(SQL_OBJECTS)
	$(Q)rm -f $@ && ar rcs $@ $^

# Self-contained, with nothing to be seen of it but the entry point; it stays in the process that loaded it.
$(BUILD)/kontor_sql.so: $(EXTENSION_OBJECTS) $(BUILD)/libkontor.a
	$(say) LINK $@
	@echo '{ global: sqlite3_kontorsql_init; local: *; };' > $(BUILD)/kontor_sql.map
	$(Q)$(CC) $(KT_CFLAGS) -shared -Wl,--version-script=$(BUILD)/kontor_sql.map -Wl,-z,nodelete $(KT_LDFLAGS) \
		-o $@ $(EXTENSION_OBJECTS) $(BUILD)/libkontor.a $(LIB_LIBS)

$(BUILD)/kontor: $(CLI_OBJECTS) $(BUILD)/libsql.a $(BUILD)/libkontor.a
	$(say) LINK $@
	$(Q)$(CC) $(KT_LDFLAGS) -o $@ $(CLI_OBJECTS) $(BUILD)/libsql.a $(BUILD)/libkontor.a $(CLI_LIBS) $(LIB_LIBS) -lsqlite3

$(BUILD)/libtests.a: $(HELP_OBJECTS)
	$(Q)rm -f $@ && ar rcs $@ $^

$(BUILD)/tests/%: $(BUILD)/obj/tests/%.o $(BUILD)/libtests.a $(BUILD)/libsql.a $(BUILD)/libkontor.a
	$(say) LINK $@
	@mkdir -p $(@D)
	$(Q)$(CC) $(KT_LDFLAGS) -o $@ $< $(BUILD)/libtests.a $(BUILD)/libsql.a $(BUILD)/libkontor.a $(LIB_LIBS) -ljansson \
		-lsqlite3 -lm

# Without the sanitizers: it is there before their runtime is.
$(BUILD)/tests/lib%.so: tests/crash/%_shim.c $(wildcard tests/crash/*.h) Makefile | $(BUILD)/.packages
	$(say) LINK $@
	@mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) -std=gnu11 -fPIC -O2 -g $(WARNINGS) -shared -o $@ $<

# The power cut test over a store that does not sync, to prove that the test can fail.
$(BUILD)/obj/tests/crash/store_nosync.o: storage/store.c Makefile | $(BUILD)/.packages
	$(say) CC $@
	@mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) $(KT_CFLAGS) -DKT_TEST_NOSYNC -c -o $@ $<

$(BUILD)/tests/crash/nosync_power: $(BUILD)/obj/tests/crash/test_power.o $(BUILD)/obj/tests/crash/store_nosync.o \
		$(BUILD)/libtests.a $(BUILD)/libkontor.a
	$(say) LINK $@
	@mkdir -p $(@D)
	$(Q)$(CC) $(KT_LDFLAGS) -o $@ $(filter %.o,$^) $(BUILD)/libtests.a $(BUILD)/libkontor.a $(LIB_LIBS)

$(BUILD)/libbench.a: $(BENCH_LIB_OBJECTS)
	$(Q)rm -f $@ && ar rcs $@ $^

$(BUILD)/bench/%: $(BUILD)/obj/bench/%.o $(BUILD)/libbench.a $(BUILD)/libsql.a $(BUILD)/libkontor.a
	$(say) LINK $@
	@mkdir -p $(@D)
	$(Q)$(CC) $(KT_LDFLAGS) -o $@ $< $(BUILD)/libbench.a $(BUILD)/libsql.a $(BUILD)/libkontor.a $(LIB_LIBS) -lsqlite3

$(BUILD)/fixtures/generate: $(BUILD)/obj/fixtures/generate.o
	$(say) LINK $@
	@mkdir -p $(@D)
	$(Q)$(CC) $(KT_LDFLAGS) -o $@ $<

$(BUILD)/fuzz_%: $(BUILD)/obj/tests/fuzz/fuzz_%.o $(BUILD)/libkontor.a
	$(say) LINK $@
	$(Q)$(CC) -fsanitize=fuzzer,address,undefined $(KT_LDFLAGS) -o $@ $< $(BUILD)/libkontor.a $(LIB_LIBS) -ljansson

-include $(shell find $(BUILD)/obj -name '*.d' 2>/dev/null)

# ---- The two commands, and what proves the house -------------------------------------------------------

setup:
	@./setup.sh build

tests: all $(TEST_PROGRAMS) $(SHIMS) $(BUILD)/tests/crash/nosync_power $(BUILD)/fixtures/generate \
	$(BUILD)/bench/scale $(BUILD)/bench/plot

test:
	@./setup.sh test
	@$(MAKE) $(QUIETLY) -j$(JOBS) tests
	$(Q)KONTOR_BUILD=$(BUILD) KONTOR=$(BUILD)/kontor prove -j$(JOBS) $(PROVE_FLAGS) $(TEST_PROGRAMS) $(TEST_SCRIPTS)

demo:
	@./setup.sh build
	@$(MAKE) $(QUIETLY) -j$(JOBS) all
	@KONTOR=$(BUILD)/kontor fixtures/demo.sh

layers:
	@tests/layers.sh

benches: $(BENCH_PROGRAMS)

bench:
	@./setup.sh build
	@$(MAKE) $(QUIETLY) -j$(JOBS) all benches
	$(BUILD)/bench/bulk_post $(BENCH_FLAGS)
	$(BUILD)/bench/serve
	$(BUILD)/bench/sql
	$(BUILD)/bench/proof
	$(BUILD)/bench/witness

bench-scale:
	@./setup.sh build
	@$(MAKE) $(QUIETLY) -j$(JOBS) $(BUILD)/bench/scale $(BUILD)/bench/plot
	$(BUILD)/bench/scale $(BENCH_FLAGS)

bench-peers:
	@./setup.sh peers
	@$(MAKE) $(QUIETLY) -j$(JOBS) all $(BUILD)/bench/peer_sqlite
	@KONTOR_BUILD=$(BUILD) bench/peers.sh $(BENCH_FLAGS)

fuzz-programs: $(FUZZ_PROGRAMS)

fuzz:
	@./setup.sh fuzz
	@$(MAKE) $(QUIETLY) -j$(JOBS) FUZZ=1 CC=clang fuzz-programs
	@tests/fuzz.sh $(SECONDS) build/fuzz $(NAMES)

# What takes longer than somebody waits for: more random tests, each fuzz program for ten minutes, the benchmarks.
nightly:
	$(MAKE) test KONTOR_LONG=1
	$(MAKE) test SANITIZE=1
	$(MAKE) fuzz SECONDS=600
	$(MAKE) bench
	$(MAKE) bench-scale
	$(MAKE) bench-peers
nightly: export KONTOR_LONG = 1

format-check:
	@clang-format --dry-run --Werror $(LIB_SOURCES) $(SQL_SOURCES) $(CLI_SOURCES) $(TEST_SOURCES) $(HELP_SOURCES) \
		$(wildcard bench/*.c bench/lib/*.[ch])

# ---- Installing --------------------------------------------------------------------------------------

DEST = $(DESTDIR)$(PREFIX)

# Headers lie in include/kontor.h and include/kontor/, and name each other accordingly.
install: all
	install -d $(DEST)/bin $(DEST)/lib/kontor $(DEST)/lib/pkgconfig $(DEST)/include/kontor $(DEST)/share/man/man1 \
		$(DEST)/share/bash-completion/completions $(DEST)/share/kontor/charts
	install -m 755 $(BUILD)/kontor $(DEST)/bin/kontor
	install -m 644 $(BUILD)/libkontor.a $(DEST)/lib/libkontor.a
	install -m 755 $(BUILD)/$(SHARED) $(DEST)/lib/$(SHARED)
	install -m 755 $(BUILD)/kontor_sql.so $(DEST)/lib/kontor/kontor_sql.so
	ln -sf $(SHARED) $(DEST)/lib/$(SONAME)
	ln -sf $(SONAME) $(DEST)/lib/libkontor.so
	for h in $(PUBLIC_HEADERS); do \
		case $$h in engine/kontor.h) to=kontor.h ;; *) to=kontor/$${h##*/} ;; esac; \
		sed -e 's,^#include "engine/kontor.h",#include <kontor.h>,' \
			-e 's,^#include "\(engine\|storage\)/\([a-z_]*\.h\)",#include "kontor/\2",' $$h > $(DEST)/include/$$to && \
		chmod 644 $(DEST)/include/$$to || exit 1; done
	printf '%s\n' 'prefix=$(PREFIX)' 'libdir=$${prefix}/lib' 'includedir=$${prefix}/include' '' 'Name: kontor' \
		'Description: Double-entry accounting in an append-only, signed journal' 'Version: $(VERSION)' \
		'Libs: -L$${libdir} -lkontor' 'Libs.private: $(strip $(LIB_LIBS)) -pthread' 'Cflags: -I$${includedir}' \
		> $(DEST)/lib/pkgconfig/kontor.pc
	install -m 644 cli/kontor.1 $(DEST)/share/man/man1/kontor.1
	install -m 644 cli/kontor.bash $(DEST)/share/bash-completion/completions/kontor
	install -m 644 fixtures/charts/*.csv $(DEST)/share/kontor/charts

uninstall:
	rm -f $(DEST)/bin/kontor $(DEST)/lib/libkontor.a $(DEST)/lib/libkontor.so $(DEST)/lib/$(SONAME) \
		$(DEST)/lib/$(SHARED) $(DEST)/lib/pkgconfig/kontor.pc $(DEST)/include/kontor.h \
		$(DEST)/share/man/man1/kontor.1 $(DEST)/share/bash-completion/completions/kontor
	rm -rf $(DEST)/include/kontor $(DEST)/lib/kontor $(DEST)/share/kontor

clean:
	rm -rf build build-asan build-clang

help:
	@sed -n 's/^#: //p' Makefile

#: make               build/libkontor.a, build/libkontor.so and build/kontor
#: make demo          sets up, builds, and shows a year of a trading company: posted, reported, verified
#: make test          sets up, builds, and runs all tests (PROVE_FLAGS=-v shows each)
#: make layers        proves the order of the rooms from the #include lines, and other house rules
#: make bench         bulk posting beside its ceiling, and what else is asked of a book (BENCH_FLAGS="--repeat 5")
#: make bench-scale   does it slow down with size? 100 million entries, 9 GB in /tmp (BENCH_FLAGS="--json FILE")
#: make bench-peers   the same year of entries in Kontor, SQLite, ledger, hledger and PostgreSQL
#: make fuzz          each fuzz program for SECONDS=30, or NAMES="csv note" alone (needs clang)
#: make nightly       everything, and longer
#: make install       PREFIX=/usr/local DESTDIR=; make uninstall takes it away again
#: make setup         installs the Debian packages that are missing
#: make format-check  compares the sources with .clang-format
#: make clean         removes build, build-asan and build-clang
#: Variables: CC=clang (in build-clang), SANITIZE=1 (in build-asan), V=1, JOBS=2, WERROR=, CFLAGS
