# SPDX-License-Identifier: GPL-2.0-only
# The QEMU plugin and its unit tests.

PLUGIN_SRC	:= $(wildcard qemu/*.c)
GLIB_CFLAGS	= $(shell pkg-config --cflags glib-2.0 | sed 's/-I/-isystem /g')
GLIB_LIBS	= $(shell pkg-config --libs glib-2.0)
PLUGIN_CFLAGS	= $(BASE_CFLAGS) -Iqemu $(GLIB_CFLAGS)

.PHONY: plugin
all: plugin
plugin: $(O)/softseam.so

# Only what QEMU looks up is visible.  Its own symbols resolve when it loads us; it
# may also have a nettle of its own, so ours is linked in and stays hidden.
$(O)/softseam.so: $(PLUGIN_SRC:%.c=$(O)/plugin/%.o) $(O)/libsoftseam.a
	$(CC) $(OPT_CFLAGS) $(CFLAGS) $(LDFLAGS) -shared -Wl,--exclude-libs,ALL \
		-o $@ $^ $(GLIB_LIBS) $(MODEL_LIBS)

$(O)/plugin/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(PLUGIN_CFLAGS) $(OPT_CFLAGS) -fPIC -fvisibility=hidden $(CFLAGS) -c -o $@ $<

# One program a file.
PLUGIN_TESTS	:= $(patsubst qemu/tests/%.c,%,$(wildcard qemu/tests/test_*.c))

$(O)/asan-plugin/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(PLUGIN_CFLAGS) -O1 $(SANITIZE) $(CFLAGS) -c -o $@ $<

# What each tests, and what stands in for QEMU.
MODEL_ASAN	:= $(MODEL_SRC:%.c=$(O)/asan/%.o)
EXECUTORS	:= clflush cpuid cr4 decode flags movdir64b msr vcpu vmcs vmx
FAKED		:= $(EXECUTORS:%=$(O)/asan-plugin/qemu/%.o) \
		   $(O)/asan-plugin/qemu/tests/fake_qemu.o $(MODEL_ASAN)

$(O)/asan-plugin/test_cpu: $(FAKED)
$(O)/asan-plugin/test_decode: $(O)/asan-plugin/qemu/decode.o
$(O)/asan-plugin/test_files: $(patsubst %,$(O)/asan-plugin/qemu/%.o,json report stats trace) $(MODEL_ASAN)
$(O)/asan-plugin/test_flags: $(FAKED)
$(O)/asan-plugin/test_options: $(patsubst %,$(O)/asan-plugin/qemu/%.o,options tsc) $(MODEL_ASAN)
$(O)/asan-plugin/test_symbols: $(O)/asan-plugin/qemu/symbols.o
$(O)/asan-plugin/test_vmcs: $(O)/asan-plugin/qemu/vmcs.o
$(O)/asan-plugin/test_vmx: $(FAKED)

$(PLUGIN_TESTS:%=$(O)/asan-plugin/%): $(O)/asan-plugin/%: $(O)/asan-plugin/qemu/tests/%.o
	$(CC) $(SANITIZE) -o $@ $^ $(GLIB_LIBS) $(MODEL_LIBS) -lcmocka

test: $(PLUGIN_TESTS:%=$(O)/asan-plugin/%)
