// SPDX-License-Identifier: GPL-2.0-only
/* The counters as JSON. */
#include <errno.h>
#include <inttypes.h>

#include "leaves.h"

static const char *const state_names[] = {
	[SYS_PENDING]		= "PENDING",
	[SYS_SYSINIT_DONE]	= "SYSINIT_DONE",
	[SYS_SYSCONFIG_DONE]	= "SYSCONFIG_DONE",
	[SYS_READY]		= "READY",
	[SYS_SHUTDOWN]		= "SHUTDOWN",
};

static void write_leaves(FILE *f, const struct seam_stats *st)
{
	const char *separator = "";

	fprintf(f, "  \"leaves\": {");
	for (unsigned int i = 0; i < SEAM_MAX_LEAF; i++) {
		const struct seam_leaf_count *n = &st->leaf[i];

		if (!n->calls)
			continue;
		fprintf(f, "%s\n    \"%s\": { \"calls\": %" PRIu64 ", \"errors\": %" PRIu64
			", \"injected\": %" PRIu64 ", \"ns\": %" PRIu64 " }",
			separator, seam_leaf_name(i), n->calls, n->errors, n->injected, n->ns);
		separator = ",";
	}
	fprintf(f, "\n  },\n  \"unknown_leaf_calls\": %" PRIu64 ",\n", st->unknown);
}

static void write_features(FILE *f, const struct seam_stats *st)
{
	fprintf(f, "  \"pamt_pairs\": %" PRIu64 ",\n  \"ext_pool_pages\": %" PRIu32 ",\n",
		st->pamt_pairs, st->ext_pool_pages);
	fprintf(f, "  \"connect\": { \"iommus\": %" PRIu32 ", \"spdm_sessions\": %" PRIu32
		", \"ide_streams\": %" PRIu32 " },\n",
		st->iommus, st->spdm_sessions, st->ide_streams);
}

static void write_violations(FILE *f, struct seam *s, const struct seam_stats *st)
{
	fprintf(f, "  \"violations\": %" PRIu64 ",\n  \"violations_by_rule\": {", st->violations);
	for (enum rule rule = 0; rule < NR_RULES; rule++)
		fprintf(f, "%s \"%s\": %" PRIu64, rule ? "," : "", rule_name(rule),
			atomic_load(&s->violations[rule]));
	fprintf(f, " }\n");
}

int seam_write_json(struct seam *s, FILE *f)
{
	struct seam_stats st;

	seam_get_stats(s, &st);

	fprintf(f, "{\n  \"module_loaded\": %s,\n", s->cfg.module_loaded ? "true" : "false");
	fprintf(f, "  \"module_version\": \"%u.%u.%02u\",\n",
		s->cfg.major, s->cfg.minor, s->cfg.update);
	fprintf(f, "  \"features0\": \"0x%" PRIx64 "\",\n", s->cfg.features0);
	fprintf(f, "  \"sys_state\": \"%s\",\n", state_names[st.sys_state]);
	fprintf(f, "  \"cpus\": %u,\n  \"packages\": %u,\n", s->cfg.nr_cpus, s->cfg.nr_packages);
	fprintf(f, "  \"tdmrs\": %u,\n  \"pamt_kb\": %" PRIu64 ",\n",
		st.nr_tdmrs, st.pamt_bytes / 1024);
	fprintf(f, "  \"keyids\": { \"total\": %" PRIu32 ", \"in_use\": %" PRIu32 " },\n",
		st.keyids_total, st.keyids_in_use);
	fprintf(f, "  \"tds\": %" PRIu32 ",\n  \"pages_owned\": %" PRIu64 ",\n",
		st.tds, st.pages_owned);
	write_features(f, &st);
	write_leaves(f, &st);
	write_violations(f, s, &st);
	fprintf(f, "}\n");

	return fflush(f) || ferror(f) ? -EIO : 0;
}
