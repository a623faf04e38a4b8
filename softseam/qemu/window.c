// SPDX-License-Identifier: GPL-2.0-only
#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "plugin_api.h"
#include "window.h"

#define MIB			UINT64_C(0x100000)

#define PCI_DEVICES		32
#define PCI_ID_Q35		UINT32_C(0x29c08086)
#define PCI_ID_IVSHMEM		UINT32_C(0x11101af4)
#define PCI_BAR2		0x18
#define PCI_BAR_64BIT		UINT32_C(4)
#define PCI_BAR_ADDRESS		(~UINT64_C(0xf))

/* Where firmware for q35 puts the configuration space. */
static const uint64_t ecam_bases[] = { 0xb0000000, 0xe0000000 };

struct window {
	const struct ram *ram;
	uint8_t *base;
	uint64_t size;
	/* 0: not located.  Under @lock where it is looked for. */
	_Atomic uint64_t pa;
	GMutex lock;
	struct window_common *common;
	struct window_lp *lp;
};

_Static_assert(offsetof(struct window_lp, xsave) == WORLD_XSAVE, "window layout");
_Static_assert(offsetof(struct window_lp, xsave_init) == WORLD_XSAVE_INIT, "window layout");
_Static_assert(offsetof(struct window_lp, host_vmcb) == WORLD_HOST_VMCB_PAGE, "window layout");
_Static_assert(!(offsetof(struct window_lp, tlb) % 4096), "window layout");
_Static_assert(!(sizeof(struct window_common) % 4096), "window layout");

#define XSAVE_MXCSR		24
#define MXCSR_INITIAL		UINT32_C(0x1f80)

static void init_common(struct window_common *c)
{
	memset(c, 0, sizeof(*c));
	memcpy(c->code, world_code, (size_t)(world_code_end - world_code));
	vmcb_init_permissions(c->iopm, c->msrpm);
}

static void init_lp(struct window_lp *lp)
{
	uint32_t mxcsr = MXCSR_INITIAL;

	memset(lp, 0, offsetof(struct window_lp, tlb));
	memcpy(lp->xsave_init + XSAVE_MXCSR, &mxcsr, sizeof(mxcsr));
}

struct window *window_open(const struct ram *ram, unsigned int nr_cpus, char *err,
			   size_t errlen)
{
	uint64_t need = window_need(ram_bytes(ram), nr_cpus);
	struct window *w = g_new0(struct window, 1);
	unsigned int i;

	g_mutex_init(&w->lock);
	w->ram = ram;
	w->base = ram_spare(ram, &w->size);
	if (w->base && w->size >= need) {
		w->common = (struct window_common *)(w->base + ram_bytes(ram));
		w->lp = (struct window_lp *)(w->common + 1);
		init_common(w->common);
		for (i = 0; i < nr_cpus; i++)
			init_lp(&w->lp[i]);
		return w;
	}

	if (w->base)
		snprintf(err, errlen,
			 "the memory of the ivshmem-plain device has %" PRIu64 " MiB and needs %" PRIu64 "; give it twice the RAM",
			 w->size / MIB, (need + MIB - 1) / MIB);
	else
		snprintf(err, errlen,
			 "there is no memory for private pages; add -object memory-backend-memfd,id=private,size=SIZE,share=on -device ivshmem-plain,memdev=private, with twice the RAM as SIZE");
	g_free(w);
	return NULL;
}

static uint32_t read_config(uint64_t ecam, unsigned int device, unsigned int offset)
{
	GByteArray *buf = g_byte_array_new();
	uint32_t value = UINT32_MAX;

	if (!qemu_plugin_read_memory_hwaddr(ecam + ((uint64_t)device << 15) + offset, buf,
					    sizeof(value)))
		memcpy(&value, buf->data, sizeof(value));
	g_byte_array_free(buf, TRUE);
	return value;
}

static uint64_t bar2(uint64_t ecam, unsigned int device)
{
	uint64_t bar = read_config(ecam, device, PCI_BAR2);

	if (bar & PCI_BAR_64BIT)
		bar |= (uint64_t)read_config(ecam, device, PCI_BAR2 + 4) << 32;
	return bar & PCI_BAR_ADDRESS;
}

static bool is_at(const struct window *w, uint64_t pa)
{
	return pa && ram_is_same_memory(w->base + w->size - 4096, pa + w->size - 4096);
}

static uint64_t find(const struct window *w)
{
	unsigned int i, device;

	for (i = 0; i < G_N_ELEMENTS(ecam_bases); i++) {
		if (read_config(ecam_bases[i], 0, 0) != PCI_ID_Q35)
			continue;
		for (device = 1; device < PCI_DEVICES; device++)
			if (read_config(ecam_bases[i], device, 0) == PCI_ID_IVSHMEM &&
			    is_at(w, bar2(ecam_bases[i], device)))
				return bar2(ecam_bases[i], device);
	}
	return 0;
}

bool window_locate(struct window *w, char *err, size_t errlen)
{
	uint64_t pa = atomic_load(&w->pa);

	if (pa)
		return true;

	g_mutex_lock(&w->lock);
	pa = atomic_load(&w->pa);
	if (!pa) {
		pa = find(w);
		atomic_store(&w->pa, pa);
	}
	g_mutex_unlock(&w->lock);
	if (!pa)
		snprintf(err, errlen,
			 "the CPUs do not see the memory of the ivshmem-plain device, which must be on the root bus of a q35 machine");
	return pa;
}

void window_forget(struct window *w)
{
	atomic_store(&w->pa, 0);
}

void *window_private(const struct window *w, uint64_t pa)
{
	return w->base + ram_offset(w->ram, pa);
}

uint64_t window_private_pa(const struct window *w, uint64_t pa)
{
	return w->pa + ram_offset(w->ram, pa);
}

uint64_t window_pa(const struct window *w, const void *at)
{
	return w->pa + (uint64_t)((const uint8_t *)at - w->base);
}

struct window_lp *window_lp(const struct window *w, unsigned int cpu)
{
	return &w->lp[cpu];
}

uint64_t window_code_pa(const struct window *w)
{
	return window_pa(w, w->common->code);
}

const char *window_code_at(const struct window *w, const void *host)
{
	uint64_t offset, start = (uint64_t)(w->common->code - w->base);

	if (!ram_spare_offset(w->ram, host, &offset) || offset < start ||
	    offset - start >= sizeof(w->common->code))
		return NULL;
	return world_code + (offset - start);
}

uint64_t window_iopm_pa(const struct window *w)
{
	return window_pa(w, w->common->iopm);
}

uint64_t window_msrpm_pa(const struct window *w)
{
	return window_pa(w, w->common->msrpm);
}
