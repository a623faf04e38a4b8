// SPDX-License-Identifier: GPL-2.0-only
#include <string.h>

#include "fake_window.h"
#include "plugin_api.h"

struct fake_window fake_window;

const struct ram *fake_window_start(uint64_t bytes)
{
	fake_window = (struct fake_window){
		.bytes = bytes,
		.mem = bytes ? g_malloc0(bytes) : NULL,
		.ecam = FAKE_ECAM,
		.machine = 0x29c08086,
		.slot = 3,
		.device = 0x11101af4,
		.bar = { (uint32_t)FAKE_WINDOW_PA | 0xC, FAKE_WINDOW_PA >> 32 },
		.seen_at = FAKE_WINDOW_PA,
	};
	/* Only handed back. */
	return (const struct ram *)&fake_window;
}

void fake_window_stop(void)
{
	g_free(fake_window.mem);
	fake_window.mem = NULL;
}

uint64_t ram_bytes(const struct ram *ram)
{
	(void)ram;
	return FAKE_WINDOW_RAM;
}

/* Half of it above 4 GiB. */
uint64_t ram_offset(const struct ram *ram, uint64_t pa)
{
	(void)ram;
	return pa < UINT64_C(1) << 32 ? pa : pa - (UINT64_C(1) << 32) + FAKE_WINDOW_RAM / 2;
}

uint8_t *ram_spare(const struct ram *ram, uint64_t *size)
{
	(void)ram;
	*size = fake_window.bytes;
	return fake_window.mem;
}

bool ram_spare_offset(const struct ram *ram, const void *host, uint64_t *offset)
{
	(void)ram;
	*offset = (uintptr_t)host - (uintptr_t)fake_window.mem;
	return *offset < fake_window.bytes;
}

bool ram_is_same_memory(uint8_t *host, uint64_t pa)
{
	return pa - fake_window.seen_at == (uint64_t)(host - fake_window.mem);
}

static uint32_t config(uint64_t offset)
{
	unsigned int device = (unsigned int)(offset >> 15);

	if (!device && !(offset & 0x7fff))
		return fake_window.machine;
	if (device != fake_window.slot)
		return UINT32_MAX;
	switch (offset & 0x7fff) {
	case 0:
		return fake_window.device;
	case 0x18:
		return fake_window.bar[0];
	case 0x1c:
		return fake_window.bar[1];
	default:
		return 0;
	}
}

int qemu_plugin_read_memory_hwaddr(uint64_t addr, GByteArray *data, size_t len)
{
	uint32_t value;

	fake_window.nr_config_reads++;
	if (addr < fake_window.ecam || addr - fake_window.ecam >= UINT64_C(1) << 20)
		return 1;
	value = config(addr - fake_window.ecam);
	g_byte_array_set_size(data, 0);
	g_byte_array_append(data, (const guint8 *)&value, (guint)len);
	return 0;
}
