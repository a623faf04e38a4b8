// SPDX-License-Identifier: GPL-2.0-only
/* Creation of a platform with its TDX module, and its counters. */
#include <stdlib.h>
#include <string.h>

#include "config.h"
#include "guest_vcpu.h"
#include "leaves.h"
#include "range.h"

/* Where the last CMR ends that physical addresses can reach. */
static uint64_t memory_end(const struct seam_config *cfg)
{
	uint64_t limit = 1ULL << cfg->hpa_bits;
	uint64_t end = 0;

	for (unsigned int i = 0; i < cfg->nr_cmrs; i++) {
		struct seam_range r = cfg->cmr[i];

		if (r.size && !range_wraps(r) && range_end(r) <= limit && range_end(r) > end)
			end = range_end(r);
	}
	return end;
}

/* What is sized by the machine.  On failure the caller frees what there is. */
static bool init_tables(struct seam *s)
{
	s->guest_lp = calloc(s->cfg.nr_cpus, sizeof(*s->guest_lp));
	return s->guest_lp && pamt_init(&s->pamt, memory_end(&s->cfg)) &&
	       own_init(&s->own, s->pamt.end) && lines_init(&s->lines, s->pamt.end) &&
	       plain_init(s, s->pamt.end);
}

static void free_tables(struct seam *s)
{
	plain_free(&s->plain);
	lines_free(&s->lines);
	own_free(&s->own);
	pamt_free(&s->pamt);
	free(s->guest_lp);
}

struct seam *seam_new(const struct seam_config *cfg, const struct seam_machine *machine,
		      char *err, size_t errlen)
{
	struct seam_config complete = *cfg;
	struct seam *s;

	if (!config_complete(&complete, err, errlen))
		return NULL;

	s = calloc(1, sizeof(*s));
	if (!s) {
		snprintf(err, errlen, "out of memory for the TDX module's state");
		return NULL;
	}
	s->cfg = complete;
	s->machine = *machine;
	kot_init(&s->kot, complete.nr_mktme_keyids, complete.nr_tdx_keyids);

	if (!init_tables(s)) {
		snprintf(err, errlen,
			 "no address space for the page metadata of %llu GB: use a smaller cmr=",
			 (unsigned long long)(memory_end(&complete) / SZ_1G));
		free_tables(s);
		free(s);
		return NULL;
	}
	pthread_mutex_init(&s->tds_lock, NULL);
	inject_init(&s->injector);
	return s;
}

void seam_free(struct seam *s)
{
	if (!s)
		return;
	connect_free_all(s);
	td_free_all(s);
	inject_destroy(&s->injector);
	pthread_mutex_destroy(&s->tds_lock);
	free_tables(s);
	free(s);
}

void seam_get_stats(struct seam *s, struct seam_stats *st)
{
	memset(st, 0, sizeof(*st));

	for (unsigned int i = 0; i < SEAM_MAX_LEAF; i++) {
		st->leaf[i].calls = atomic_load(&s->count[i].calls);
		st->leaf[i].errors = atomic_load(&s->count[i].errors);
		st->leaf[i].injected = atomic_load(&s->count[i].injected);
		st->leaf[i].ns = atomic_load(&s->count[i].ns);
	}
	for (enum rule rule = 0; rule < NR_RULES; rule++)
		st->violations += atomic_load(&s->violations[rule]);

	st->unknown = atomic_load(&s->unknown);
	st->sys_state = atomic_load(&s->sys_state);
	st->nr_tdmrs = atomic_load(&s->nr_tdmrs);
	st->pamt_bytes = atomic_load(&s->pamt_bytes);
	st->keyids_total = s->cfg.nr_tdx_keyids;
	st->keyids_in_use = kot_in_use(&s->kot);
	st->tds = td_count(s);
	st->pages_owned = atomic_load(&s->own.pages);
	st->pamt_pairs = atomic_load(&s->pamt.pairs);
	st->ext_pool_pages = atomic_load(&s->ext.pool_has);
	st->iommus = atomic_load(&s->connect.nr[CONNECT_IOMMU]);
	st->spdm_sessions = atomic_load(&s->connect.nr[CONNECT_SPDM]);
	st->ide_streams = atomic_load(&s->connect.nr[CONNECT_IDE]);
}
