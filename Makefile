# SPDX-License-Identifier: MIT
# make            build/vouch.so and build/vouchctl         make test    everything, on a fresh Debian too
# make demo       a store to click through                  make bench   numbers beside others' numbers
# make fuzz       bad input, FUZZ_SECONDS a target          make install PREFIX=/usr/local DESTDIR=
# A variant has its own folder: make BUILD=build/asan SANITIZE=address,undefined; make BUILD=build/clang CC=clang
# make V=1 shows the commands. Sanitized variants are test builds: VOUCH_TEST_ALLOC lets a test fail the k-th allocation.
ifeq ($(origin CC),default)
CC := gcc
endif
VERSION  := 0.1.0
SAY       = $(if $(V),,@$(if $(findstring s,$(firstword -$(MAKEFLAGS))),,echo '  $@';))
BUILD    ?= build
SANITIZE ?=
PREFIX   ?= /usr/local
LIBDIR   ?= $(PREFIX)/lib
PKGS     := libpq jansson libcurl libutf8proc libsodium sqlite3
HELPED   := clean demo test bench fuzz setup   # these install by themselves, or need nothing

ifneq ($(filter-out $(HELPED),$(or $(MAKECMDGOALS),all)),)
ifneq ($(shell command -v $(firstword $(CC)) >/dev/null && pkg-config --exists $(PKGS) 2>/dev/null && echo yes),yes)
$(error Missing: $(CC), pkg-config or one of $(PKGS). On Debian run "tests/setup build" (apt-get, with sudo \
unless root): it installs $(shell tests/setup --list build))
endif
endif

try    = $(shell echo 'int x;' | $(CC) -Werror $(1) -x c -c -o /dev/null - 2>/dev/null && echo '$(1)')
WARN  := -Wall -Wextra -Wshadow -Wvla -Wformat=2 -Wconversion -Wsign-conversion -Wstrict-prototypes \
	-Wmissing-prototypes -Wundef -Wcast-qual -Wwrite-strings -Wimplicit-fallthrough -Walloca -Werror \
	-Werror=format-security -Werror=implicit -Werror=incompatible-pointer-types -Werror=int-conversion \
	$(call try,-Wtrampolines) $(call try,-Wbidi-chars=any)
HARD  := -fstack-protector-strong -fstack-clash-protection -fno-delete-null-pointer-checks -fno-strict-overflow \
	-fno-strict-aliasing -fexceptions $(call try,-fcf-protection=full) $(call try,-mbranch-protection=standard) \
	$(call try,-ftrivial-auto-var-init=zero) $(call try,-fstrict-flex-arrays=3) $(call try,-fzero-init-padding-bits=all)
MODE  := $(if $(SANITIZE),-O1 -DVOUCH_TEST_ALLOC -DVOUCH_KILLPOINTS -fno-omit-frame-pointer -fsanitize=$(SANITIZE) -fno-sanitize-recover=all,\
	-O2 -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3 -Wframe-larger-than=16384)
FLAGS  = -std=c11 -D_GNU_SOURCE -DVOUCH_VERSION='"$(VERSION)"' -Iplugin -Ihooks -g -fPIC -fvisibility=hidden -pthread \
	-ffile-prefix-map=$(CURDIR)=. $(MODE) $(HARD) $(PKG) $(CPPFLAGS) $(CFLAGS)
LINK   = $(CC) $(MODE) -pthread -Wl,-z,relro,-z,now,-z,noexecstack,--as-needed,--no-copy-dt-needed-entries $(LDFLAGS)
SHARED = -shared -Wl,-soname,vouch.so,-Bsymbolic,--version-script=hooks/vouch.map,-z,nodelete $(if $(SANITIZE),,-Wl,-z,defs)
PKG   := $(patsubst -I%,-isystem %,$(shell pkg-config --cflags $(PKGS) 2>/dev/null))
LIBS  := $(shell pkg-config --libs $(PKGS) 2>/dev/null) -lm

SRC   := $(filter-out plugin/cli/%,$(sort $(shell find plugin -name '*.c'))) $(sort $(wildcard hooks/*.c))
OBJ   := $(SRC:%.c=$(BUILD)/obj/%.o) $(BUILD)/obj/assets.o
CLI   := $(patsubst %.c,$(BUILD)/obj/%.o,$(sort $(wildcard plugin/cli/*.c)))
ASSET := $(sort $(shell find sql -name '*.sql' -o -name '*.tsv' 2>/dev/null) $(filter-out %.c %.h %~,$(shell find plugin \
	-path '*/locale/*' -type f -o -path '*/template/*' -type f -o -path '*/asset/*' -type f -o -path '*/page/*' -type f)))

.PHONY: all clean demo test bench fuzz install setup force
.DELETE_ON_ERROR:
all: $(BUILD)/vouch.so $(BUILD)/vouchctl

$(BUILD)/vouch.so: $(OBJ) hooks/vouch.map
	$(SAY) $(LINK) $(SHARED) -o $@ $(OBJ) $(LIBS)
$(BUILD)/vouchctl: $(OBJ) $(CLI)
	$(SAY) $(LINK) -pie -o $@ $(OBJ) $(CLI) $(LIBS)
$(BUILD)/obj/%.o: %.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(SAY) $(CC) $(FLAGS) $(WARN) -MMD -MP -c -o $@ $<
$(BUILD)/obj/assets.o: $(BUILD)/assets.S $(ASSET)
	@mkdir -p $(@D)
	$(SAY) $(CC) $(FLAGS) -c -o $@ $<
$(BUILD)/assets.S: $(BUILD)/assets plugin/base/asset.awk
	awk -f plugin/base/asset.awk $< > $@
# Written only when they change: what is built depends on its flags, and on which files there are.
$(BUILD)/flags: TEXT = $(CC) $(shell $(CC) --version | head -n 1) $(FLAGS) $(WARN) $(LINK)
$(BUILD)/assets: TEXT = $(ASSET)
$(BUILD)/flags $(BUILD)/assets: force
	@mkdir -p $(@D)
	@printf '%s\n' '$(subst ','\'',$(TEXT))' | cmp -s - $@ || printf '%s\n' '$(subst ','\'',$(TEXT))' > $@

setup:
	tests/setup build
demo:
	tests/setup demo
	$(MAKE) all
	examples/store/demo
test:
	tests/setup test
	tests/run
bench:
	tests/setup bench
	$(MAKE) all
	tests/bench/run
clean:
	rm -rf build

install: all
	install -d $(addprefix $(DESTDIR),$(LIBDIR)/vouch $(LIBDIR)/pkgconfig $(addprefix $(PREFIX)/,bin include share/man/man1 share/man/man3))
	install -m 755 $(BUILD)/vouch.so $(DESTDIR)$(LIBDIR)/vouch/
	install -m 755 $(BUILD)/vouchctl $(DESTDIR)$(PREFIX)/bin/
	install -m 644 hooks/vouch.h $(DESTDIR)$(PREFIX)/include/
	install -m 644 plugin/cli/vouchctl.1 $(DESTDIR)$(PREFIX)/share/man/man1/
	install -m 644 hooks/vouch.3 $(DESTDIR)$(PREFIX)/share/man/man3/
	sed 's,@PREFIX@,$(PREFIX),;s,@LIBDIR@,$(LIBDIR),;s,@VERSION@,$(VERSION),' hooks/vouch.pc.in > $(DESTDIR)$(LIBDIR)/pkgconfig/vouch.pc

include tests/tests.mk
-include $(OBJ:.o=.d) $(CLI:.o=.d)
