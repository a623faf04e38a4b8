/* SPDX-License-Identifier: GPL-2.0-only */
/* The host of host.h with a TD in one of the stages of its life. */
#ifndef SOFTSEAM_TESTS_TD_HOST_H
#define SOFTSEAM_TESTS_TD_HOST_H

#include "host.h"
#include "own.h"
#include "sept.h"
#include "td.h"
#include "td_params.h"

#define TD_HKID		33

/* Pages of 4K that the host gives to TDs. */
#define TD_PAGES	(4 * GB)
#define TD_NR_PAGES	128
#define PG(n)		(TD_PAGES + (n) * SZ_4K)

#define TDR		PG(0)
#define TDCX(n)		PG(1 + (n))
#define TDVPR(n)	PG(10 + 8 * (n))
#define TDVPX(n, i)	PG(11 + 8 * (n) + (i))
/* The table below the entry at a level. */
#define EPT_PAGE(level)	PG(40 + (level))
#define REG_PAGE	PG(48)
#define AUG_PAGE	PG(49)
#define FREE_PAGE	PG(50)
/* Free, and a whole page of 2M. */
#define FREE_2M		(4 * GB + 32 * MB)

/* With Dynamic PAMT, where td_goto() has the entries of PG(). */
#define TD_PAIR		PG(510)

/* Memory of the host's own. */
#define TD_PARAMS	(3 * MB)
#define SOURCE		(3 * MB + 4096)

/* Private pages: REG_PAGE, AUG_PAGE, one with nothing. */
#define GPA_REG		0x100000ULL
#define GPA_AUG		0x101000ULL
#define GPA_FREE	0x102000ULL
/* Under the tables at levels 3 and 2, but with no table below that. */
#define GPA_NO_TABLE	0x200000ULL

#define TD_KEYID(hkid)	((uint64_t)(hkid) << HOST_HPA_BITS)

/* How far td_goto() takes a TD.  Its vCPU 0 is on CPU 0. */
enum td_stage {
	TD_NONE,
	TD_CREATED,
	/* MNG.KEY.CONFIG on both packages. */
	TD_KEYS,
	TD_TDCS,
	TD_INIT,
	/* VP.CREATE, then its pages, then VP.INIT. */
	TD_VCPU_CREATED,
	TD_VCPU_PAGES,
	TD_VCPU,
	/* Tables for the GPAs above. */
	TD_SEPT,
	/* GPA_REG is added. */
	TD_PAGE,
	TD_RUNNABLE,
	/* GPA_AUG is pending. */
	TD_AUG,
	/* GPA_REG and GPA_AUG are blocked, then tracked. */
	TD_BLOCKED_PAGES,
	TD_TRACKED,
	/* VP.FLUSH, MNG.VPFLUSHDONE, PHYMEM.CACHE.WB on both packages, MNG.KEY.FREEID. */
	TD_FLUSHED,
	TD_VPFLUSHDONE,
	TD_CACHES,
	TD_TORN_DOWN,
};

/* The module READY with all TDMRs, then the TD. */
void td_goto(struct host *h, enum td_stage stage);

/* TD_PARAMS and SOURCE as td_goto() has them. */
void td_prepare_params(struct host *h);

/* One call that has to succeed. */
void td_must(struct host *h, unsigned int cpu, struct seam_regs regs);

struct td *host_td(struct host *h);
struct vcpu *host_vcpu(struct host *h);
struct td_params_page *host_params(struct host *h);
struct pamt_entry *host_page(struct host *h, uint64_t pa);
struct sept_entry *host_entry(struct host *h, uint64_t gpa, unsigned int level);
uint8_t *host_mem(struct host *h, uint64_t pa);

/* Rows as of host.h, on a TD in a stage. */
struct td_row {
	const char *name;
	const char *args[5];
	enum td_stage stage;
	void (*twist)(struct host *h, struct seam_regs *regs);
	unsigned int cpu;
	struct seam_regs in;
	uint64_t status;
	const char *rule;
	/* Then @out is what RCX and RDX hold. */
	bool has_out;
	uint64_t out[2];
};

int run_td_rows(const char *group, const struct td_row *rows, size_t nr);

#endif
