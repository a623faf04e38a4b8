# SPDX-License-Identifier: GPL-2.0-only
#
# softseam as a QEMU plugin.
#
#   make plugin       build/softseam/softseam.so, for qemu-system-x86_64 -plugin
#   make test-plugin  unit tests of the plugin's decoder and its helpers

PLUGIN_SRC	:= $(wildcard qemu/*.c)
GLIB_CFLAGS	= $(shell pkg-config --cflags glib-2.0 | sed 's/-I/-isystem /g')
GLIB_LIBS	= $(shell pkg-config --libs glib-2.0)

.PHONY: plugin test-plugin
all: plugin
plugin: $(O)/softseam.so

# Only what QEMU looks up is visible; glib is there in every QEMU.  QEMU may also
# have a nettle of its own, so ours is linked in and stays hidden.
$(O)/softseam.so: $(PLUGIN_SRC:%.c=$(O)/plugin/%.o) $(O)/libsoftseam.a
	$(CC) $(OPT_CFLAGS) $(CFLAGS) $(LDFLAGS) -shared -Wl,--exclude-libs,ALL \
		-o $@ $^ $(GLIB_LIBS) $(MODEL_LIBS)

$(O)/plugin/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(BASE_CFLAGS) $(OPT_CFLAGS) $(GLIB_CFLAGS) -fPIC -fvisibility=hidden \
		$(CFLAGS) -c -o $@ $<
