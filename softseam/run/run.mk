# SPDX-License-Identifier: GPL-2.0-only
# softseam-run, the program that starts QEMU with the plugin, and its tests.

RUN_SRC		:= $(wildcard run/*.c)

.PHONY: run
all: run
run: $(O)/softseam-run

# Of the plugin it needs what headers say, and no library.
RUN_CC		= $(CC) $(PLUGIN_CFLAGS) -D_GNU_SOURCE $(OPT_CFLAGS) $(CFLAGS)
MADE_run	= $(RUN_CC) $(CC_VERSION)
$(O)/run/%.o: run/%.c $(O)/made/run
	@mkdir -p $(@D)
	$(RUN_CC) -c -o $@ $<

RUN_LD		= $(CC) $(OPT_CFLAGS) $(CFLAGS) $(LDFLAGS)
MADE_softseam-run = $(RUN_LD) $(RUN_SRC)
$(O)/softseam-run: $(RUN_SRC:run/%.c=$(O)/run/%.o) $(O)/made/softseam-run
	$(RUN_LD) -o $@ $(filter %.o,$^)

RUN_ASAN_CC	= $(CC) $(PLUGIN_CFLAGS) -D_GNU_SOURCE -O1 $(SANITIZE) $(CFLAGS)
MADE_asan-run	= $(RUN_ASAN_CC) $(CC_VERSION)
$(O)/asan-run/%.o: run/%.c $(O)/made/asan-run
	@mkdir -p $(@D)
	$(RUN_ASAN_CC) -c -o $@ $<

$(O)/asan-run/softseam-run: $(RUN_SRC:run/%.c=$(O)/asan-run/%.o) $(O)/made/softseam-run
	$(CC) $(SANITIZE) -o $@ $(filter %.o,$^)

$(O)/asan-run/old_plugin.so: run/tests/old_plugin.c
	@mkdir -p $(@D)
	$(CC) -shared -fPIC -o $@ $<

# What the tests work with is not a test itself.
RUN_TESTED	:= $(O)/asan-run/softseam-run $(O)/asan-run/old_plugin.so $(O)/softseam.so
test: export SOFTSEAM_RUN = $(word 1,$(RUN_TESTED))
test: export OLD_PLUGIN = $(word 2,$(RUN_TESTED))
test: export SOFTSEAM_SO = $(word 3,$(RUN_TESTED))
test: $(wildcard run/tests/test_*.sh) | $(RUN_TESTED)
