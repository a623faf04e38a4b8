// SPDX-License-Identifier: GPL-2.0-only
/* Error injection. */
#include "inject.h"

/* A well-mixed 64-bit function of @x (the finalizer of SplitMix64). */
static uint64_t mix(uint64_t x)
{
	x += 0x9E3779B97F4A7C15ULL;
	x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9ULL;
	x = (x ^ (x >> 27)) * 0x94D049BB133111EBULL;
	return x ^ (x >> 31);
}

/*
 * The draw depends on nothing but the seed, the rule and the number of the
 * call, so a run can be repeated however its threads interleave.
 */
static bool draw(uint64_t seed, unsigned int rule, uint64_t nth, uint8_t percent)
{
	return mix(mix(seed ^ mix(rule)) + nth) % 100 < percent;
}

static bool fires(struct injector *in, const struct seam_config *cfg, unsigned int i)
{
	const struct seam_injection *rule = &cfg->injection[i];
	uint64_t nth = atomic_fetch_add(&in->rule[i].calls, 1) + 1;

	if (nth < rule->nth)
		return false;
	if (rule->percent && !draw(cfg->seed, i, nth, rule->percent))
		return false;
	return !rule->count || atomic_fetch_add(&in->rule[i].fired, 1) < rule->count;
}

bool inject(struct injector *in, const struct seam_config *cfg, uint64_t leaf,
	    enum seam_end *how, uint64_t *status)
{
	bool done = false;

	for (unsigned int i = 0; i < cfg->nr_injections; i++) {
		const struct seam_injection *rule = &cfg->injection[i];

		if (rule->leaf != leaf || !fires(in, cfg, i) || done)
			continue;
		*how = rule->how;
		*status = rule->status;
		done = true;
	}
	return done;
}
