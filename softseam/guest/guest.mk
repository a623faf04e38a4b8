# SPDX-License-Identifier: GPL-2.0-only
#
# What runs TDs: a part of the plugin, but without anything of QEMU in it.

GUEST_SRC	:= $(wildcard guest/*.c)
GUEST_ASM	:= $(wildcard guest/*.S)
GUEST_OBJ	:= $(GUEST_SRC:%.c=$(O)/plugin/%.o) $(GUEST_ASM:%.S=$(O)/plugin/%.o)

$(O)/softseam.so: $(GUEST_OBJ)

$(O)/plugin/%.o: %.S $(O)/made/lib
	@mkdir -p $(@D)
	$(CC) $(BASE_CFLAGS) $(CFLAGS) -c -o $@ $<

# One program a file.
GUEST_TESTS	:= $(patsubst guest/tests/%.c,%,$(wildcard guest/tests/test_*.c))

MADE_guest-tests = $(GUEST_SRC)
$(GUEST_TESTS:%=$(O)/asan/%): $(O)/asan/%: $(O)/asan/guest/tests/%.o $(GUEST_SRC:%.c=$(O)/asan/%.o) \
	$(O)/made/guest-tests
	$(CC) $(SANITIZE) -o $@ $(filter %.o,$^) -lcmocka

test: $(GUEST_TESTS:%=$(O)/asan/%)
