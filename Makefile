# Every task of a contributor.  `make help` lists them.

VERSION := $(shell awk '/define DP_VERSION_(MAJOR|MINOR|PATCH)/{v = v d $$3; d = "."} END{print v}' \
             include/depthprune/version.h)
SONAME  := libdepthprune.so.$(firstword $(subst ., ,$(VERSION)))
PREFIX  ?= /usr/local
LIBDIR  ?= $(PREFIX)/lib
BUILD   ?= build
Q       := $(if $(V),,@)
TO_LIB  := $(shell realpath -m --relative-to=$(BUILD) lib)
CC      ?= cc
CFLAGS  ?= -O2 -g
ARCH    := $(shell $(CC) -dumpmachine | cut -d- -f1)
PACKAGES := openblas jansson libpcre2-8
# A cross compiler brings its own tools: make CC=aarch64-linux-gnu-gcc, with PKG_CONFIG_LIBDIR set for that machine.
AR      := $(if $(filter default,$(origin AR)),$(shell $(CC) -print-prog-name=ar),$(AR))
OBJCOPY ?= $(shell $(CC) -print-prog-name=objcopy)
PKG_CONFIG ?= pkg-config

# Kernel files carry their instruction set in their name and are built for it; other machines leave them out.
KERNEL_SETS := $(if $(filter x86_64,$(ARCH)),avx2 avx512)
SOURCES := $(sort $(filter-out src/cli/%,$(shell find src -name '*.c')))
SOURCES := $(filter-out $(if $(KERNEL_SETS),,%_avx2.c %_avx512.c),$(SOURCES))
OBJECTS := $(SOURCES:src/%.c=$(BUILD)/%.o)
CLI     := $(patsubst src/%.c,$(BUILD)/%.o,$(sort $(wildcard src/cli/*.c)))
UNIT    := $(patsubst test/unit/%.c,$(BUILD)/test/unit/%,$(sort $(shell find test/unit -name 'test_*.c')))

WARN    := -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes -Wvla -Walloca \
           -Wundef -Wcast-qual -Werror
SAN     := $(if $(SANITIZE),-fsanitize=$(SANITIZE) -fno-sanitize-recover=all -fno-omit-frame-pointer)
# Of the hardening flags those that this compiler knows for this machine; the sanitizers do better than FORTIFY, and enlarge frames.
KNOWN    = $(shell for flag in $(1); do \
             $(CC) -Werror -O2 -U_FORTIFY_SOURCE $$flag -include features.h -x c -S -o /dev/null /dev/null 2>/dev/null && \
             echo "$$flag"; done)
FORTIFY := $(if $(SANITIZE)$(filter -O0,$(CFLAGS)),,$(lastword $(call KNOWN,-D_FORTIFY_SOURCE=2 -D_FORTIFY_SOURCE=3)))
HARDEN  := $(if $(FORTIFY),-U_FORTIFY_SOURCE $(FORTIFY)) -fstack-protector-strong \
           $(call KNOWN,-fstack-clash-protection -fcf-protection -mbranch-protection=standard)
FRAMES  := $(if $(SANITIZE)$(filter -O0,$(CFLAGS)),,-Wframe-larger-than=16384)
# No path of this machine in what is built: two builds of one source are the same bytes wherever they were made.
PLAIN   := -ffile-prefix-map='$(CURDIR)'=.
FLAGS    = -std=gnu11 $(WARN) $(FRAMES) -fPIC -fvisibility=hidden -ffp-contract=off -D_GNU_SOURCE -DNDEBUG \
           $(HARDEN) $(PLAIN) $(CFLAGS) $(SAN) -Iinclude -Isrc -MMD -MP $(PACKAGE_FLAGS)
PACKAGE_FLAGS := $(shell $(PKG_CONFIG) --cflags $(PACKAGES) 2>/dev/null)
LIBS    := $(shell $(PKG_CONFIG) --libs $(PACKAGES) 2>/dev/null) -lm -lpthread -ldl
%_avx2.o: SET := -mavx2 -mfma -mf16c
%_avx512.o: SET := -mavx512f -mavx512bw -mavx512vl -mavx512dq -mfma -mf16c -mprefer-vector-width=512

.DEFAULT_GOAL := all

all: rooms lib/libdepthprune.so lib/libdepthprune.a $(BUILD)/depthprune ## build the library and the program

help: ## list the tasks
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

rooms: ## check that each room includes only lower rooms
	@awk -f test/lint/rooms.awk src/ROOMS $$(find src -name '*.[ch]')

$(BUILD)/%.o: src/%.c
	@mkdir -p $(@D)
	@echo "  CC  $<"
	$(Q)$(CC) $(FLAGS) $(SET) -c $< -o $@

lib/libdepthprune.so: $(OBJECTS) lib/libdepthprune.map
	@echo "  LD  $@"
	$(Q)$(CC) -shared $(SAN) $(LDFLAGS) -Wl,-soname,$(SONAME),-z,defs,-z,relro,-z,now,-z,noexecstack \
	    -Wl,--version-script=lib/libdepthprune.map $(OBJECTS) $(LIBS) -o $@.$(VERSION)
	$(Q)ln -sf libdepthprune.so.$(VERSION) lib/$(SONAME)
	$(Q)ln -sf $(SONAME) $@

lib/libdepthprune.a: $(OBJECTS) # one object whose internal names are local
	@echo "  AR  $@"
	$(Q)$(CC) -r -nostdlib $(OBJECTS) -o $(BUILD)/whole.o
	$(Q)$(OBJCOPY) --localize-hidden $(BUILD)/whole.o
	$(Q)rm -f $@
	$(Q)$(AR) rcsD $@ $(BUILD)/whole.o

# The program finds its library from where it lies itself: $(1) is the way there.
LINK_PROGRAM = $(CC) $(SAN) $(LDFLAGS) -pie $(CLI) -Llib -ldepthprune $(shell $(PKG_CONFIG) --libs jansson) -lm -lpthread \
    -Wl,-rpath,'$$ORIGIN/$(1)' -Wl,-z,relro,-z,now,-z,noexecstack

$(BUILD)/depthprune: $(CLI) lib/libdepthprune.so
	@echo "  LD  $@"
	$(Q)$(call LINK_PROGRAM,$(TO_LIB)) -o $@

# The program with the library inside, so that a build of another kind leaves lib/ alone.
$(BUILD)/depthprune-alone: $(CLI) $(OBJECTS)
	@echo "  LD  $@"
	$(Q)$(CC) $(SAN) $(LDFLAGS) -pie $^ $(LIBS) -o $@

# A unit test links its own room and the rooms below it, no more.
BELOW = $(shell awk -v room=$(patsubst test/unit/%/,%,$(dir $<)) -f test/lint/below.awk src/ROOMS)
$(BUILD)/test/unit/%: test/unit/%.c $(OBJECTS) test/run.h
	@mkdir -p $(@D)
	@echo "  CC  $<"
	$(Q)$(CC) $(filter-out $(FRAMES),$(FLAGS)) -I. $$($(PKG_CONFIG) --cflags check) $< \
	    $(filter $(foreach r,$(BELOW),$(patsubst src/%.c,$(BUILD)/%.o,$(wildcard src/$(r)/*.c))),$(OBJECTS)) \
	    $$($(PKG_CONFIG) --libs check) $(LDFLAGS) $(LIBS) -o $@

# A fuzz target: with FUZZER=1 (clang) the fuzzer is in it, else a driver that runs the files it is given.
FUZZ := $(patsubst test/fuzz/fuzz_%.c,$(BUILD)/test/fuzz/%,$(sort $(wildcard test/fuzz/fuzz_*.c)))
$(BUILD)/test/fuzz/parts.a: $(OBJECTS) $(CLI)
	@mkdir -p $(@D)
	$(Q)rm -f $@
	$(Q)$(AR) rcs $@ $^
$(BUILD)/test/fuzz/%: test/fuzz/fuzz_%.c test/fuzz/driver.c $(wildcard test/fuzz/*.h) $(BUILD)/test/fuzz/parts.a
	@echo "  CC  $<"
	$(Q)$(CC) $(FLAGS) -I. -DFUZZ_FILES='"build/fuzz/files"' $< \
	    $(if $(FUZZER),-fsanitize=fuzzer,test/fuzz/driver.c) $(BUILD)/test/fuzz/parts.a $(LIBS) -o $@
fuzz-targets: $(FUZZ)

fuzz: ## fuzz a parser, or all of them (TARGET=name SECONDS=60)
	@sh test/fuzz/fuzz.sh "$(or $(SECONDS),60)" $(TARGET)

unit: $(UNIT) ## run the unit tests
	@sh test/run_tests.sh $(UNIT)

# The tests that need the whole library: scripts, found by their folder.
WHOLE := $(sort $(wildcard test/lint/*.sh test/backend/*.sh test/abi/*.sh test/api/*.sh test/e2e/*.sh \
           test/hostile/*.sh test/fault/*.sh test/fuzz/replay.sh))

deps: ## install what building and testing needs and is missing (Debian; DEPS=off skips it)
	@DEPS=$(DEPS) sh test/deps.sh build check

check: ## install what is missing, build, and run every test of at most 15 minutes
	@DEPS=$(DEPS) sh test/deps.sh build check
	@sh examples/fetch_model.sh >/dev/null || echo "the real model cannot be had here: its tests are skipped"
	@$(MAKE) --no-print-directory all
	@$(MAKE) --no-print-directory check-built

check-built: all $(UNIT) $(FUZZ) # the tests alone
	@CC="$(CC)" sh test/run_tests.sh $(UNIT) $(WHOLE)

# The real model takes a quarter of an hour under the sanitizers and is left to `make check`.
check-long: ## sanitizers, and the outside programs that load what we save
	@DEPS=$(DEPS) sh test/deps.sh build check long
	@sh examples/fetch_model.sh >/dev/null
	@$(MAKE) --no-print-directory all
	@CI= DEPTHPRUNE_MODEL=none $(MAKE) --no-print-directory BUILD=build/asan SANITIZE=address,undefined unit
	@sh test/run_tests.sh $(sort $(wildcard test/long/*.sh))

quickstart: ## prune a real model: download, score, prune, save, measure
	@DEPS=$(DEPS) sh test/deps.sh build plot
	@$(MAKE) --no-print-directory all
	@sh examples/quickstart.sh

abi: lib/libdepthprune.so lib/libdepthprune.a ## check names, headers and layout against the stored interface
	@sh test/run_tests.sh $(sort $(wildcard test/abi/*.sh))

abi-baseline: lib/libdepthprune.so # store the interface as it is; needs an ABI line in CHANGELOG.md
	sh lib/abi/describe.sh lib/abi/libdepthprune.abi

bench: all $(BUILD)/kernels $(BUILD)/library ## measure this machine and this library
	@sh test/bench/bench.sh

bench-peers: all ## measure PyTorch beside this library (PEERS=folder of its virtual environment)
	@sh test/bench/bench_peers.sh

$(BUILD)/kernels: test/bench/kernels.c $(OBJECTS)
	@echo "  LD  $@"
	$(Q)$(CC) $(filter-out $(FRAMES),$(FLAGS)) $< $(filter $(BUILD)/base/%.o $(BUILD)/tensor/%.o $(BUILD)/backend/%.o,$(OBJECTS)) $(LIBS) -o $@

$(BUILD)/library: test/bench/library.c lib/libdepthprune.so
	@echo "  LD  $@"
	$(Q)$(CC) -std=gnu11 $(WARN) $(CFLAGS) -Iinclude $< -Llib -ldepthprune -Wl,-rpath,'$$ORIGIN/../lib' -o $@

format: ## lay out the sources
	clang-format -i $$(find src test examples -name '*.[ch]')

# What install fills in: pkg-config's file names folders, CMake's finds its own from where it lies.
FILL = sed 's|@PREFIX@|$(PREFIX)|; s|@LIBDIR@|$(LIBDIR)|; s|@VERSION@|$(VERSION)|; s|@SONAME@|$(SONAME)|; s|@UP@|$(UP)|'
UP   := $(shell realpath -m --relative-to=$(LIBDIR)/cmake/depthprune $(PREFIX))

# The program writes them itself; where it cannot run, as in a cross build, they are left out.
COMPLETION = ! $(BUILD)/depthprune completion $(1) > $(BUILD)/install/$(1) 2>/dev/null || \
    install -D -m 644 $(BUILD)/install/$(1) $(DESTDIR)$(PREFIX)/share/$(2)

install: all ## install under PREFIX and LIBDIR (DESTDIR is put in front)
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(LIBDIR)/pkgconfig $(DESTDIR)$(LIBDIR)/cmake/depthprune \
	    $(DESTDIR)$(PREFIX)/include/depthprune/sys $(DESTDIR)$(PREFIX)/share/man/man1 $(BUILD)/install
	$(call LINK_PROGRAM,$(shell realpath -m --relative-to=$(PREFIX)/bin $(LIBDIR))) -o $(BUILD)/install/depthprune
	install -m 755 $(BUILD)/install/depthprune $(DESTDIR)$(PREFIX)/bin/depthprune
	install -m 755 lib/libdepthprune.so.$(VERSION) $(DESTDIR)$(LIBDIR)/
	ln -sf libdepthprune.so.$(VERSION) $(DESTDIR)$(LIBDIR)/$(SONAME)
	ln -sf $(SONAME) $(DESTDIR)$(LIBDIR)/libdepthprune.so
	install -m 644 lib/libdepthprune.a $(DESTDIR)$(LIBDIR)/
	install -m 644 include/depthprune/*.h $(DESTDIR)$(PREFIX)/include/depthprune/
	install -m 644 include/depthprune/sys/*.h $(DESTDIR)$(PREFIX)/include/depthprune/sys/
	for file in depthprune.pc depthprune-config.cmake depthprune-config-version.cmake; do \
	    $(FILL) pkgconfig/$$file.in > $(BUILD)/install/$$file || exit 1; done
	install -m 644 $(BUILD)/install/depthprune.pc $(DESTDIR)$(LIBDIR)/pkgconfig/
	install -m 644 $(BUILD)/install/*.cmake $(DESTDIR)$(LIBDIR)/cmake/depthprune/
	install -m 644 docs/depthprune.1 $(DESTDIR)$(PREFIX)/share/man/man1/
	$(call COMPLETION,bash,bash-completion/completions/depthprune)
	$(call COMPLETION,zsh,zsh/site-functions/_depthprune)
	$(call COMPLETION,fish,fish/vendor_completions.d/depthprune.fish)

uninstall: ## remove what install put under PREFIX and LIBDIR
	rm -f $(DESTDIR)$(PREFIX)/bin/depthprune $(DESTDIR)$(LIBDIR)/libdepthprune.so* $(DESTDIR)$(LIBDIR)/libdepthprune.a \
	    $(DESTDIR)$(LIBDIR)/pkgconfig/depthprune.pc $(DESTDIR)$(PREFIX)/share/man/man1/depthprune.1
	rm -f $(DESTDIR)$(PREFIX)/share/bash-completion/completions/depthprune \
	    $(DESTDIR)$(PREFIX)/share/zsh/site-functions/_depthprune $(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d/depthprune.fish
	rm -rf $(DESTDIR)$(PREFIX)/include/depthprune $(DESTDIR)$(LIBDIR)/cmake/depthprune

DIST := depthprune-$(VERSION)
dist: ## pack what is committed into build/depthprune-VERSION.tar.gz, the same bytes each time
	@git rev-parse --verify -q HEAD >/dev/null 2>&1 && [ "$$(git rev-parse --show-toplevel)" = "$$(pwd -P)" ] || \
	    { echo "make dist packs what is committed: this folder is not a git checkout" >&2; exit 1; }
	@git diff --quiet HEAD || echo "changes that are not committed are left out" >&2
	@mkdir -p $(BUILD)
	@git -c tar.umask=0022 archive --prefix=$(DIST)/ -o $(BUILD)/$(DIST).tar HEAD
	@gzip -9 -n -f $(BUILD)/$(DIST).tar
	@echo "$(BUILD)/$(DIST).tar.gz"

clean: ## remove what was built
	rm -rf $(BUILD) lib/*.so* lib/*.a lib/depthprune

.PHONY: all help rooms fuzz fuzz-targets unit deps check check-built check-long quickstart abi abi-baseline bench \
    bench-peers format install uninstall dist clean
.SECONDARY:
-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)
