// SPDX-License-Identifier: GPL-2.0-only
#include "feature_host.h"

#define LINES_PER_PAGE	64

uint64_t *host_list(struct host *h, uint64_t root)
{
	return (uint64_t *)host_mem(h, root);
}

void host_clflush(struct host *h, uint64_t pa, unsigned int nr)
{
	for (unsigned int i = 0; i < nr; i++)
		seam_clflush(h->seam, 0, pa + i * (SZ_4K / LINES_PER_PAGE));
}

void host_movdir64b(struct host *h, uint64_t pa, unsigned int nr)
{
	for (unsigned int i = 0; i < nr; i++)
		seam_movdir64b(h->seam, 0, pa + i * (SZ_4K / LINES_PER_PAGE));
}

static void run_row(void **state)
{
	const struct feature_row *row = *state;
	struct host *h = host_new(row->args);
	struct seam_regs regs = row->in;

	host_start(h);
	row->stage(h);
	if (row->twist)
		row->twist(h, &regs);

	host_row_call(h, row->cpu, &regs, row->name, row->status, row->rule);
	host_free(h);
}

int run_feature_rows(const char *group, const struct feature_row *rows, size_t nr)
{
	return run_table(group, run_row, rows, sizeof(*rows), nr);
}
