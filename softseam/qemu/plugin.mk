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
PLUGIN_LD	= $(CC) $(OPT_CFLAGS) $(CFLAGS) $(LDFLAGS) -shared -Wl,--exclude-libs,ALL
MADE_softseam.so = $(PLUGIN_LD) $(PLUGIN_SRC) $(GUEST_SRC) $(GUEST_ASM) $(MODEL_LIBS)
$(O)/softseam.so: $(PLUGIN_SRC:%.c=$(O)/plugin/%.o) $(O)/libsoftseam.a $(O)/made/softseam.so
	$(PLUGIN_LD) -o $@ $(filter %.o %.a,$^) $(GLIB_LIBS) $(MODEL_LIBS)

PLUGIN_CC	= $(CC) $(PLUGIN_CFLAGS) $(OPT_CFLAGS) -fPIC -fvisibility=hidden $(CFLAGS)
MADE_plugin	= $(PLUGIN_CC) $(CC_VERSION)
$(O)/plugin/%.o: %.c $(O)/made/plugin
	@mkdir -p $(@D)
	$(PLUGIN_CC) -c -o $@ $<

# One program a file.
PLUGIN_TESTS	:= $(patsubst qemu/tests/%.c,%,$(wildcard qemu/tests/test_*.c))

ASAN_PLUGIN_CC	= $(CC) $(PLUGIN_CFLAGS) -O1 $(SANITIZE) $(CFLAGS)
MADE_asan-plugin = $(ASAN_PLUGIN_CC) $(CC_VERSION)
$(O)/asan-plugin/%.o: %.c $(O)/made/asan-plugin
	@mkdir -p $(@D)
	$(ASAN_PLUGIN_CC) -c -o $@ $<

# What each tests, and what stands in for QEMU.
MODEL_ASAN	:= $(MODEL_SRC:%.c=$(O)/asan/%.o)
GUEST_ASAN	:= $(GUEST_SRC:%.c=$(O)/asan-plugin/%.o) $(GUEST_ASM:%.S=$(O)/plugin/%.o)
EXECUTORS	:= clflush control cpuid cr4 decode flags gprs movdir64b msr vcpu vmcs vmx
FAKED		:= $(EXECUTORS:%=$(O)/asan-plugin/qemu/%.o) $(MODEL_ASAN) \
		   $(patsubst %,$(O)/asan-plugin/qemu/tests/%.o,fake_qemu fake_platform)
MADE_plugin-tests = $(PLUGIN_SRC) $(GUEST_SRC) $(GUEST_ASM) $(MODEL_SRC) $(GLIB_LIBS) $(MODEL_LIBS)

$(O)/asan-plugin/test_control: $(FAKED)
$(O)/asan-plugin/test_cpu: $(FAKED)
$(O)/asan-plugin/test_decode: $(O)/asan-plugin/qemu/decode.o
$(O)/asan-plugin/test_files: $(patsubst %,$(O)/asan-plugin/qemu/%.o,json report stats tests/check_json trace trace_files) $(MODEL_ASAN)
$(O)/asan-plugin/test_flags: $(FAKED)
$(O)/asan-plugin/test_probe: $(O)/asan-plugin/qemu/probe.o
$(O)/asan-plugin/test_options: $(patsubst %,$(O)/asan-plugin/qemu/%.o,options tsc) $(MODEL_ASAN)
RUN_TD		:= $(patsubst %,$(O)/asan-plugin/qemu/%.o,gprs probe run_td tcg_tlb td_insn vcpu window) $(GUEST_ASAN) \
		   $(patsubst %,$(O)/asan-plugin/qemu/tests/%.o,fake_qemu fake_window td_machine)
$(O)/asan-plugin/test_run_td: $(RUN_TD)
$(O)/asan-plugin/test_run_td_memory: $(RUN_TD)
# They look their fake QEMU's functions up by name.
$(O)/asan-plugin/test_tcg_jump $(O)/asan-plugin/test_tcg_tlb: TEST_LDFLAGS := -rdynamic
$(O)/asan-plugin/test_tcg_jump: $(patsubst %,$(O)/asan-plugin/qemu/%.o,report tcg_jump)
$(O)/asan-plugin/test_tcg_tlb: $(O)/asan-plugin/qemu/tcg_tlb.o
$(O)/asan-plugin/test_td_insn: $(RUN_TD)
$(O)/asan-plugin/test_symbols: $(O)/asan-plugin/qemu/symbols.o
$(O)/asan-plugin/test_vmcs: $(O)/asan-plugin/qemu/vmcs.o
$(O)/asan-plugin/test_vmx: $(FAKED)
$(O)/asan-plugin/test_window: $(O)/asan-plugin/qemu/window.o $(GUEST_ASAN) \
	$(O)/asan-plugin/qemu/tests/fake_window.o

$(PLUGIN_TESTS:%=$(O)/asan-plugin/%): $(O)/asan-plugin/%: $(O)/asan-plugin/qemu/tests/%.o \
	$(O)/made/plugin-tests
	$(CC) $(SANITIZE) $(TEST_LDFLAGS) -o $@ $(filter %.o,$^) $(GLIB_LIBS) $(MODEL_LIBS) -lcmocka

test: $(PLUGIN_TESTS:%=$(O)/asan-plugin/%)
