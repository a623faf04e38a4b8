// SPDX-License-Identifier: GPL-2.0-only
#include <stdlib.h>

#include "feature_host.h"
#include "state.h"

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
	uint64_t before;

	host_start(h);
	row->stage(h);
	if (row->twist)
		row->twist(h, &regs);

	before = host_state(h);
	host_call_checked(h, row->cpu, &regs);
	assert_status(regs.rax, row->status);
	if (row->status)
		host_call_failed(h, host_leaf_name(&row->in), row->status, row->name, before);

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
