/* SPDX-License-Identifier: GPL-2.0-only */
/* The host of host.h, for features that a module may offer. */
#ifndef SOFTSEAM_TESTS_FEATURE_HOST_H
#define SOFTSEAM_TESTS_FEATURE_HOST_H

#include "td_host.h"

/* FEATURES0 of tests, as arguments of the module. */
#define BASE_FEATURES	"0x140000"
#define DPAMT		"features0", "0x1000140000"
#define EXT		"features0", "0x4008000140000"
#define CONNECT		"features0", "0x8000140040"
#define CONNECT_DPAMT	"features0", "0x9000140040"

/* Regions of 2M, and pages in them. */
#define REGION(n)	(4 * GB + (uint64_t)(n) * SZ_2M)
#define REGION_PG(n, i)	(REGION(n) + (uint64_t)(i) * SZ_4K)
#define NR_REGIONS	4
/* In a region of their own. */
#define PAIR(n, i)	REGION_PG(3, 2 * (n) + (i))

/* Lists of pages, and more such lists. */
#define LIST		(6 * MB)
#define LIST2		(6 * MB + 4096)

#define ADD_PAIR(region, page0, page1)						\
	{ .rax = TDH_PHYMEM_PAMT_ADD, .rcx = (region) | PS_2M, .rdx = (page0), .r8 = (page1) }
#define REMOVE_PAIR(region)	{ .rax = TDH_PHYMEM_PAMT_REMOVE, .rcx = (region) | PS_2M }

/* A list page, as memory of the host. */
uint64_t *host_list(struct host *h, uint64_t root);

/* Execute CLFLUSH or MOVDIR64B on @nr lines from @pa on. */
void host_clflush(struct host *h, uint64_t pa, unsigned int nr);
void host_movdir64b(struct host *h, uint64_t pa, unsigned int nr);

/* As struct row; @stage takes the module to where the row needs it. */
struct feature_row {
	const char *name;
	const char *args[11];
	void (*stage)(struct host *h);
	void (*twist)(struct host *h, struct seam_regs *regs);
	unsigned int cpu;
	struct seam_regs in;
	uint64_t status;
	const char *rule;
};

int run_feature_rows(const char *group, const struct feature_row *rows, size_t nr);

#endif
