// SPDX-License-Identifier: GPL-2.0-only
/* TDH.PHYMEM.CACHE.WB */
#include <string.h>

#include "cache.h"
#include "leaves.h"

#define CMD_START	0
#define CMD_RESUME	1

/* A package's caches are written back in this many steps. */
#define CACHE_WB_STEPS	8

/* Returns false if no KeyID waits for a write-back. */
static bool start(struct seam *s, struct cache_wb *wb)
{
	bool any = false;

	memset(wb->hkid, 0, sizeof(wb->hkid));
	wb->done = 0;
	for (uint32_t hkid = s->kot.first; hkid < s->kot.end; hkid++) {
		wb->hkid[hkid] = atomic_load(&s->kot.state[hkid]) == KOT_FLUSHED;
		any |= wb->hkid[hkid];
	}
	return any;
}

/* Returns false when an interrupt came first. */
static bool run_steps(struct seam *s, const struct call *c, struct cache_wb *wb)
{
	for (unsigned int steps = 1; ++wb->done < CACHE_WB_STEPS; steps++) {
		if (call_interrupted(s, c, steps))
			return false;
	}
	wb->done = 0;
	return true;
}

static void finish(struct seam *s, const struct cache_wb *wb, unsigned int package)
{
	for (uint32_t hkid = s->kot.first; hkid < s->kot.end; hkid++) {
		if (wb->hkid[hkid])
			atomic_fetch_and(&s->kot.wb_packages[hkid], ~(1U << package));
	}
}

static uint64_t write_back(struct seam *s, const struct call *c, struct cache_wb *wb,
			   unsigned int package)
{
	if (c->in.rcx == CMD_START && !start(s, wb))
		return TDX_NO_HKID_READY_TO_WBCACHE;
	if (c->in.rcx == CMD_RESUME && !wb->done)
		return TDX_WBCACHE_RESUME_ERROR;
	if (!run_steps(s, c, wb))
		return TDX_INTERRUPTED_RESUMABLE;
	finish(s, wb, package);
	return TDX_SUCCESS;
}

/*
 * On a CPU of each package, for KeyIDs whose vCPUs are flushed.
 *
 * In: RCX	0 to start, 1 to go on after an interrupt
 */
uint64_t tdh_phymem_cache_wb(struct seam *s, struct call *c)
{
	unsigned int package = s->cfg.package[c->cpu];
	struct cache_wb *wb = &s->cache_wb[package];
	uint64_t status = TDX_OPERAND_BUSY | OPERAND_KOT;

	if (c->in.rcx > CMD_RESUME)
		return TDX_OPERAND_INVALID | OPERAND_RCX;
	if (!lock_try_exclusive(&wb->lock))
		return TDX_OPERAND_BUSY | OPERAND_WBCACHE;

	if (lock_try_shared(&s->kot.lock)) {
		status = write_back(s, c, wb, package);
		lock_release(&s->kot.lock, LOCK_SHARED);
	}
	lock_release(&wb->lock, LOCK_EXCLUSIVE);
	return status;
}
