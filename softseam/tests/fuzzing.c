// SPDX-License-Identifier: GPL-2.0-only
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "fuzzing.h"

static uint8_t *mem;
static uint64_t ticks;

uint8_t take8(struct fuzz_input *in)
{
	return in->p < in->end ? *in->p++ : 0;
}

uint64_t take64(struct fuzz_input *in)
{
	uint64_t v = 0;

	for (unsigned int i = 0; i < 8; i++)
		v |= (uint64_t)take8(in) << (8 * i);
	return v;
}

uint8_t *fuzz_mem(uint64_t pa)
{
	return mem + pa;
}

void put64(uint64_t pa, uint64_t value)
{
	memcpy(mem + pa, &value, sizeof(value));
}

void fuzz_put_tdmr(unsigned int i, uint64_t base, uint64_t pamt)
{
	uint64_t info = FUZZ_INFO + i * TDMR_INFO_ALIGN;

	put64(FUZZ_ARRAY + 8 * i, info);
	put64(info, base);
	put64(info + 8, SZ_1G);
	put64(info + 16, pamt);
	put64(info + 24, SZ_4K);
	put64(info + 32, pamt + SZ_2M);
	put64(info + 40, 2 * SZ_4K);
	put64(info + 48, pamt + 2 * SZ_2M);
	put64(info + 56, 2 * SZ_2M);
}

static void *ram(void *opaque, uint64_t pa, uint64_t len)
{
	(void)opaque;
	return pa <= FUZZ_MEM_SIZE && len <= FUZZ_MEM_SIZE - pa ? mem + pa : NULL;
}

static uint64_t now(void *opaque)
{
	(void)opaque;
	return ++ticks;
}

/* Every event can be told in a line. */
static void on_event(void *opaque, const struct seam_event *e)
{
	char line[512];
	int len = seam_format_event(line, sizeof(line), e);

	(void)opaque;
	if (len <= 0 || (size_t)len >= sizeof(line))
		abort();
}

struct seam_machine fuzz_machine(void *opaque)
{
	if (!mem)
		mem = mmap(NULL, FUZZ_MEM_SIZE, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (mem == MAP_FAILED)
		abort();
	ticks = 0;
	return (struct seam_machine){ .opaque = opaque, .ram = ram, .now = now, .event = on_event };
}

void fuzz_config(struct seam_config *cfg, unsigned int nr_cpus)
{
	seam_config_init(cfg);
	cfg->nr_cpus = nr_cpus;
	cfg->nr_cmrs = 1;
	cfg->cmr[0] = (struct seam_range){ 0, FUZZ_MEM_SIZE };
}

struct seam *fuzz_new(const struct seam_config *cfg, const struct seam_machine *machine)
{
	char err[512];
	struct seam *seam = seam_new(cfg, machine, err, sizeof(err));

	if (!seam)
		abort();
	return seam;
}
