# SPDX-License-Identifier: MIT
# Included by the Makefile: test programs in C, linked with every object of the module.
UNIT    := $(patsubst tests/%.c,$(BUILD)/%,$(sort $(wildcard tests/unit/test_*.c)))
HELPERS := $(sort $(filter-out tests/unit/test_%,$(wildcard tests/unit/*.c)))
FUZZ    := $(patsubst tests/%.c,$(BUILD)/%,$(sort $(wildcard tests/fuzz/fuzz_*.c)))
FUZZ_SECONDS ?= 20
TESTED   = $(filter-out -Wconversion -Wsign-conversion -Wmissing-prototypes -Wcast-qual,$(WARN))

.PHONY: unit fuzzers
unit: $(UNIT)
$(BUILD)/unit/%: tests/unit/%.c $(HELPERS) $(OBJ) $(BUILD)/flags
	@mkdir -p $(@D)
	$(CC) $(FLAGS) $(TESTED) -Wno-frame-larger-than -Itests/unit -MMD -MP -MF $@.d -MT $@ -pie -o $@ $< $(HELPERS) $(OBJ) $(LIBS) -lcmocka

# Hosts of a few of the module's rooms, which flows drive: each flow makes what it needs.
$(BUILD)/flow/%: tests/flow/%.c $(OBJ) $(BUILD)/flags
	@mkdir -p $(@D)
	$(CC) $(FLAGS) $(TESTED) -MMD -MP -MF $@.d -MT $@ -pie -o $@ $< $(OBJ) $(LIBS)

fuzzers: $(FUZZ)
$(BUILD)/fuzz/%: tests/fuzz/%.c $(OBJ) $(BUILD)/flags
	@mkdir -p $(@D)
	$(CC) $(FLAGS) $(TESTED) -fsanitize=fuzzer -MMD -MP -MF $@.d -MT $@ -pie -o $@ $< $(OBJ) $(LIBS)
fuzz:
	tests/setup test
	$(MAKE) CC=clang BUILD=build/fuzzer SANITIZE=fuzzer-no-link,address,undefined fuzzers
	set -e; for f in $(FUZZ:$(BUILD)/%=build/fuzzer/%); do c=tests/$${f#build/fuzzer/}; mkdir -p $$f.corpus; \
	  s=; test -d $$c.seeds && s=$$c.seeds; $$f -max_total_time=$(FUZZ_SECONDS) -timeout=10 -rss_limit_mb=2048 $$f.corpus $$s; done

# Programs that make bench measures the module's rooms with.
$(BUILD)/bench/%: tests/bench/%.c $(OBJ) $(BUILD)/flags
	@mkdir -p $(@D)
	$(CC) $(FLAGS) $(TESTED) -MMD -MP -MF $@.d -MT $@ -pie -o $@ $< $(OBJ) $(LIBS)

-include $(UNIT:=.d) $(FUZZ:=.d)
