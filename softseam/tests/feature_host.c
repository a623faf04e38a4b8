// SPDX-License-Identifier: GPL-2.0-only
#include <stdlib.h>

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

/* Words, for much memory. */
static uint64_t digest_words(uint64_t sum, const uint64_t *word, size_t nr)
{
	for (size_t i = 0; i < nr; i++)
		sum = (sum ^ word[i]) * 0x100000001B3ULL;
	return sum;
}

uint64_t feature_digest(const struct host *h)
{
	const struct seam *s = h->seam;
	uint64_t first = REGION(0) / SZ_4K, nr = NR_REGIONS * SZ_2M / SZ_4K;
	uint64_t sum = td_digest(h, host_digest(h));

	sum = host_digest_bytes(sum, &s->connect, sizeof(s->connect));
	for (const struct connect *o = s->connect.objects; o; o = o->next)
		sum = host_digest_bytes(sum, o, sizeof(*o));
	sum = host_digest_bytes(sum, &s->lines.waiting, sizeof(s->lines.waiting));
	sum = digest_words(sum, (const uint64_t *)&s->lines.page[first],
			   nr * sizeof(s->lines.page[0]) / sizeof(uint64_t));
	sum = digest_words(sum, (const uint64_t *)&s->own.info[first],
			   nr * sizeof(s->own.info[0]) / sizeof(uint64_t));
	sum = digest_words(sum, (const uint64_t *)(h->mem + LIST), 2 * SZ_4K / sizeof(uint64_t));
	return digest_words(sum, (const uint64_t *)(h->mem + REGION(0)),
			    NR_REGIONS * SZ_2M / sizeof(uint64_t));
}

static void run_row(void **state)
{
	const struct feature_row *row = *state;
	struct host *h = host_new(row->args);
	struct seam_regs regs = row->in;
	uint64_t before;

	host_start(h);
	row->stage(h);
	if (row->twist)
		row->twist(h, &regs);

	before = feature_digest(h);
	host_call_checked(h, row->cpu, &regs);
	assert_status(regs.rax, row->status);
	if (row->status)
		assert_int_equal(feature_digest(h), before);

	if (row->rule)
		assert_string_equal(h->violation_rule, row->rule);
	assert_int_equal(h->nr_violations, row->rule ? 1 : 0);
	host_free(h);
}

int run_feature_rows(const char *group, const struct feature_row *rows, size_t nr)
{
	struct CMUnitTest *tests = calloc(nr, sizeof(*tests));
	int failed;

	if (!tests)
		return 1;
	for (size_t i = 0; i < nr; i++) {
		tests[i].name = rows[i].name;
		tests[i].test_func = run_row;
		tests[i].initial_state = (void *)(uintptr_t)&rows[i];
	}
	failed = _cmocka_run_group_tests(group, tests, nr, NULL, NULL);
	free(tests);
	return failed;
}
