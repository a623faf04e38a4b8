# SPDX-License-Identifier: GPL-2.0-only
#
# What runs TDs: a part of the plugin, but without anything of QEMU in it.

GUEST_SRC	:= $(wildcard guest/*.c)
GUEST_ASM	:= $(wildcard guest/*.S)
GUEST_OBJ	:= $(GUEST_SRC:%.c=$(O)/plugin/%.o) $(GUEST_ASM:%.S=$(O)/plugin/%.o)

$(O)/softseam.so: $(GUEST_OBJ)

$(O)/plugin/%.o: %.S
	@mkdir -p $(@D)
	$(CC) $(BASE_CFLAGS) $(CFLAGS) -c -o $@ $<
