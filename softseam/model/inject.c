// SPDX-License-Identifier: GPL-2.0-only
/* Error injection. */
#include <string.h>

#include "inject.h"
#include "leaves.h"

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

static bool fires(struct injection_count *count, const struct seam_injection *rule,
		  uint64_t seed, unsigned int nr)
{
	uint64_t nth = atomic_fetch_add(&count->calls, 1) + 1;

	if (nth < rule->nth)
		return false;
	if (rule->percent && !draw(seed, nr, nth, rule->percent))
		return false;
	return atomic_fetch_add(&count->fired, 1) < rule->count || !rule->count;
}

static bool fires_live(struct injector *in, uint64_t seed, uint64_t leaf,
		       struct seam_injection *rule)
{
	bool fired = false;

	if (!atomic_load(&in->live.active))
		return false;

	pthread_mutex_lock(&in->live.lock);
	if (atomic_load(&in->live.active) && in->live.rule.leaf == leaf) {
		*rule = in->live.rule;
		fired = fires(&in->live.count, rule, seed, SEAM_MAX_INJECTIONS);
	}
	pthread_mutex_unlock(&in->live.lock);
	return fired;
}

bool inject(struct injector *in, const struct seam_config *cfg, uint64_t leaf,
	    enum seam_end *how, uint64_t *status)
{
	struct seam_injection live;
	bool done = false;

	for (unsigned int i = 0; i < cfg->nr_injections; i++) {
		const struct seam_injection *rule = &cfg->injection[i];

		if (rule->leaf != leaf || !fires(&in->rule[i], rule, cfg->seed, i) || done)
			continue;
		*how = rule->how;
		*status = rule->status;
		done = true;
	}
	if (fires_live(in, cfg->seed, leaf, &live) && !done) {
		*how = live.how;
		*status = live.status;
		done = true;
	}
	return done;
}

void inject_init(struct injector *in)
{
	pthread_mutex_init(&in->live.lock, NULL);
}

void inject_destroy(struct injector *in)
{
	pthread_mutex_destroy(&in->live.lock);
}

bool seam_inject(struct seam *s, const char *text, const char **why)
{
	struct injector *in = &s->injector;
	struct seam_injection rule;

	if (!inject_parse(text, strlen(text), &rule, why))
		return false;

	pthread_mutex_lock(&in->live.lock);
	in->live.rule = rule;
	atomic_store(&in->live.count.calls, 0);
	atomic_store(&in->live.count.fired, 0);
	atomic_store(&in->live.active, true);
	pthread_mutex_unlock(&in->live.lock);
	return true;
}

uint64_t seam_inject_stop(struct seam *s)
{
	struct injector *in = &s->injector;
	uint64_t fired;

	pthread_mutex_lock(&in->live.lock);
	atomic_store(&in->live.active, false);
	fired = atomic_load(&in->live.count.fired);
	if (in->live.rule.count && fired > in->live.rule.count)
		fired = in->live.rule.count;
	pthread_mutex_unlock(&in->live.lock);
	return fired;
}
