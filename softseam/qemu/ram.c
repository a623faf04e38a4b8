// SPDX-License-Identifier: GPL-2.0-only
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "plugin_api.h"
#include "ram.h"
#include "report.h"

#define KIB			UINT64_C(1024)
#define MIB			(1024 * KIB)
#define GIB			(1024 * MIB)

#define MAX_BACKENDS		16
#define MAX_AREAS		64
#define SMALLEST_BACKEND	MIB

/* Video memory and firmware live here, whatever is behind them. */
#define LEGACY_HOLE_START	(640 * KIB)
#define LEGACY_HOLE_END		MIB

/* One mapping of shared memory in QEMU, as /proc/self/maps lists it. */
struct area {
	uint8_t *start;
	uint64_t size;
	uint64_t offset;
	uint64_t inode;
};

/* One memory backend: areas of one file that follow each other. */
struct backend {
	const struct area *area;
	unsigned int nr_areas;
	uint64_t size;
	bool placed;
};

struct ram {
	uint8_t *base;
	uint64_t size;
	/* RAM that lies below 4 GiB; the rest starts at 4 GiB. */
	uint64_t below_4g;
	/* Where QEMU itself has it; NULL if there is none. */
	uint8_t *spare;
	uint64_t spare_size;
};

static uint64_t ram_pa(const struct ram *ram, uint64_t offset)
{
	return offset < ram->below_4g ? offset : offset - ram->below_4g + 4 * GIB;
}

static bool is_backend_line(const char *perms, uint64_t inode, const char *name,
			    const char *path)
{
	if (strcmp(perms, "rw-s") || !inode)
		return false;
	if (path)
		return !strcmp(name, path);
	return name[0] == '/';
}

static unsigned int read_areas(struct area *area, const char *path)
{
	FILE *maps = fopen("/proc/self/maps", "re");
	unsigned long long start, end, offset, inode;
	unsigned int nr = 0;
	char line[4500], perms[8], name[4200];

	if (!maps)
		fatal("cannot read /proc/self/maps: %s", strerror(errno));

	while (nr < MAX_AREAS && fgets(line, sizeof(line), maps)) {
		name[0] = 0;
		if (sscanf(line, "%llx-%llx %7s %llx %*s %llu %4199[^\n]", &start,
			   &end, perms, &offset, &inode, name) < 5)
			continue;
		if (!is_backend_line(perms, inode, name, path))
			continue;
		area[nr++] = (struct area){
			.start = (uint8_t *)(uintptr_t)start,
			.size = end - start,
			.offset = offset,
			.inode = inode,
		};
	}
	fclose(maps);
	return nr;
}

static bool area_follows(const struct area *next, const struct area *prev)
{
	return next->inode == prev->inode &&
	       next->start == prev->start + prev->size &&
	       next->offset == prev->offset + prev->size;
}

static unsigned int join_areas(const struct area *area, unsigned int nr_areas,
			       struct backend *backend)
{
	unsigned int i, nr = 0;

	for (i = 0; i < nr_areas; i++) {
		if (nr && area_follows(&area[i], &area[i - 1])) {
			backend[nr - 1].nr_areas++;
			backend[nr - 1].size += area[i].size;
		} else if (nr < MAX_BACKENDS) {
			backend[nr++] = (struct backend){
				.area = &area[i],
				.nr_areas = 1,
				.size = area[i].size,
			};
		}
	}
	return nr;
}

bool ram_is_same_memory(uint8_t *host, uint64_t pa)
{
	static const uint64_t pattern[2] = {
		0x5eab00d7dc0ffee5ull, 0x9e3779b97f4a7c15ull,
	};
	uint8_t saved[sizeof(pattern)];
	GByteArray *seen = g_byte_array_new();
	bool same;

	memcpy(saved, host, sizeof(saved));
	memcpy(host, pattern, sizeof(pattern));
	same = !qemu_plugin_read_memory_hwaddr(pa, seen, sizeof(pattern)) &&
	       !memcmp(seen->data, pattern, sizeof(pattern));
	memcpy(host, saved, sizeof(saved));
	g_byte_array_free(seen, TRUE);
	return same;
}

static uint8_t *reserve(uint64_t bytes)
{
	uint8_t *at = mmap(NULL, bytes, PROT_NONE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (at == MAP_FAILED)
		fatal("no address space for guest RAM: %s", strerror(errno));
	return at;
}

/* A second mapping of the same memory: old size 0, see mremap(2). */
static void mirror_backend(uint8_t *at, const struct backend *b)
{
	unsigned int i;

	for (i = 0; i < b->nr_areas; i++) {
		const struct area *a = &b->area[i];

		if (mremap(a->start, 0, a->size, MREMAP_MAYMOVE | MREMAP_FIXED,
			   at) == MAP_FAILED)
			fatal("cannot map guest RAM a second time: %s",
			      strerror(errno));
		at += a->size;
	}
}

/* Where RAM may continue once @offset bytes of it are laid out. */
static bool backend_comes_next(const struct backend *b, uint64_t offset)
{
	static const uint64_t split[] = { 2 * GIB, 3 * GIB };
	uint8_t *start = b->area->start;
	unsigned int i;

	if (ram_is_same_memory(start, offset))
		return true;
	for (i = 0; i < G_N_ELEMENTS(split); i++)
		if (offset >= split[i] &&
		    ram_is_same_memory(start, offset - split[i] + 4 * GIB))
			return true;
	return false;
}

static struct backend *next_backend(struct backend *backend, unsigned int nr,
				    uint64_t offset)
{
	unsigned int i;

	for (i = 0; i < nr; i++)
		if (!backend[i].placed && backend[i].size >= SMALLEST_BACKEND &&
		    backend_comes_next(&backend[i], offset))
			return &backend[i];
	return NULL;
}

/* Put the backends in the machine's order; returns how much RAM they are. */
static uint64_t order_backends(struct backend *backend, unsigned int nr,
			       struct backend **order, unsigned int *nr_order)
{
	uint64_t offset = 0;
	struct backend *b;

	*nr_order = 0;
	while ((b = next_backend(backend, nr, offset))) {
		b->placed = true;
		order[(*nr_order)++] = b;
		offset += b->size;
	}
	return offset;
}

/* Compare the ends of both parts of RAM, and both sides of each boundary. */
static bool layout_holds(const struct ram *ram, struct backend *const *order,
			 unsigned int nr_order)
{
	uint64_t offset = 0;
	unsigned int i;

	for (i = 0; i < nr_order; i++) {
		uint64_t last = offset + order[i]->size - 4 * KIB;

		if (!ram_is_same_memory(ram->base + offset, ram_pa(ram, offset)) ||
		    !ram_is_same_memory(ram->base + last, ram_pa(ram, last)))
			return false;
		offset += order[i]->size;
	}
	if (ram->size == ram->below_4g)
		return true;

	offset = ram->below_4g - 4 * KIB;
	return ram_is_same_memory(ram->base + offset, offset) &&
	       ram_is_same_memory(ram->base + ram->below_4g, 4 * GIB);
}

static bool is_memory(uint64_t pa)
{
	GByteArray *seen = g_byte_array_new();
	bool ok = !qemu_plugin_read_memory_hwaddr(pa, seen, 1);

	g_byte_array_free(seen, TRUE);
	return ok;
}

/* Nothing may be mapped yet where RAM ends: else not all of it was found. */
static bool ram_ends(const struct ram *ram)
{
	uint64_t above = ram->size - ram->below_4g;

	return !is_memory(ram->below_4g) && !is_memory(4 * GIB + above);
}

static bool find_layout(struct ram *ram, struct backend *const *order,
			unsigned int nr_order)
{
	const uint64_t below[] = { ram->size, 2 * GIB, 3 * GIB };
	unsigned int i;

	for (i = 0; i < G_N_ELEMENTS(below); i++) {
		if (below[i] > ram->size || below[i] >= 4 * GIB)
			continue;
		ram->below_4g = below[i];
		if (layout_holds(ram, order, nr_order) && ram_ends(ram))
			return true;
	}
	return false;
}

static bool is_among(const struct backend *b, struct backend *const *order,
		     unsigned int nr_order)
{
	unsigned int i;

	for (i = 0; i < nr_order; i++)
		if (order[i]->area->start == b->area->start)
			return true;
	return false;
}

/*
 * The backends in a row.  One alone is used where QEMU has it: through a mapping of
 * our own, each page would have to be faulted in once more.
 */
static uint8_t *in_a_row(struct backend *const *order, unsigned int nr, uint64_t bytes)
{
	uint8_t *start, *at;
	unsigned int i;

	if (nr == 1)
		return order[0]->area->start;
	start = reserve(bytes);
	for (i = 0, at = start; i < nr; at += order[i++]->size)
		mirror_backend(at, order[i]);
	return start;
}

/* The largest shared memory, of whatever name, that is no RAM. */
static void open_spare(struct ram *ram, struct backend *const *order,
		       unsigned int nr_order)
{
	struct backend backend[MAX_BACKENDS], *spare = NULL;
	struct area area[MAX_AREAS];
	unsigned int i, nr = join_areas(area, read_areas(area, NULL), backend);

	for (i = 0; i < nr; i++)
		if (backend[i].size >= SMALLEST_BACKEND &&
		    !is_among(&backend[i], order, nr_order) &&
		    (!spare || backend[i].size > spare->size))
			spare = &backend[i];
	if (!spare)
		return;

	ram->spare_size = spare->size;
	ram->spare = spare->area->start;
}

struct ram *ram_open(const char *path)
{
	struct backend backend[MAX_BACKENDS], *order[MAX_BACKENDS];
	struct area area[MAX_AREAS];
	struct ram *ram = g_new0(struct ram, 1);
	unsigned int nr, nr_order;

	nr = join_areas(area, read_areas(area, path), backend);
	ram->size = order_backends(backend, nr, order, &nr_order);
	if (!ram->size && path)
		fatal("ram=%s is not mapped as shared guest RAM; it must be the mem-path of a memory-backend-file with share=on",
		      path);
	if (!ram->size)
		fatal("guest RAM is not shared memory; add -object memory-backend-memfd,id=ram0,size=SIZE,share=on -machine memory-backend=ram0");

	open_spare(ram, order, nr_order);
	ram->base = in_a_row(order, nr_order, ram->size);

	if (!find_layout(ram, order, nr_order))
		fatal("the %" PRIu64 " MiB of shared memory found do not lie where a q35 machine has its RAM; back all of the RAM with shared memory and leave max-ram-below-4g alone",
		      ram->size / MIB);
	return ram;
}

uint64_t ram_bytes(const struct ram *ram)
{
	return ram->size;
}

uint64_t ram_offset(const struct ram *ram, uint64_t pa)
{
	return pa < 4 * GIB ? pa : pa - 4 * GIB + ram->below_4g;
}

uint8_t *ram_spare(const struct ram *ram, uint64_t *size)
{
	*size = ram->spare_size;
	return ram->spare;
}

bool ram_spare_offset(const struct ram *ram, const void *host, uint64_t *offset)
{
	*offset = (uintptr_t)host - (uintptr_t)ram->spare;
	return *offset < ram->spare_size;
}

static bool ranges_overlap(uint64_t a, uint64_t a_end, uint64_t b, uint64_t b_end)
{
	return a < b_end && b < a_end;
}

void *ram_pointer(const struct ram *ram, uint64_t pa, uint64_t len)
{
	uint64_t end = pa + len;

	if (!len || end < pa ||
	    ranges_overlap(pa, end, LEGACY_HOLE_START, LEGACY_HOLE_END))
		return NULL;
	if (end <= ram->below_4g)
		return ram->base + pa;
	if (pa < 4 * GIB || end - 4 * GIB > ram->size - ram->below_4g)
		return NULL;
	return ram->base + ram->below_4g + (pa - 4 * GIB);
}

unsigned int ram_ranges(const struct ram *ram, struct seam_range *range)
{
	range[0] = (struct seam_range){ 0, LEGACY_HOLE_START };
	range[1] = (struct seam_range){ LEGACY_HOLE_END,
					ram->below_4g - LEGACY_HOLE_END };
	if (ram->size == ram->below_4g)
		return 2;
	range[2] = (struct seam_range){ 4 * GIB, ram->size - ram->below_4g };
	return 3;
}
