// SPDX-License-Identifier: GPL-2.0-only
/* Memory that a TD misses, and the translations that are made then. */
#include "td_machine.h"

static void memory_comes(void **state)
{
	uint64_t gpa;

	(void)state;
	/* Ten pages around the one that is missing, private; others are not there. */
	model.gpa = 0x105000;
	model.end = model.gpa + 10 * TLB_PAGE_4K;
	model.pa = 0x20000;
	model.writable = model.is_private = true;
	enter();
	assert_int_equal(nested(model.gpa), NOTHING);
	guest_stops(0x400, UINT64_C(1) << 32 | 6, 0x109123);
	stops_at(world_resume);
	/* Nobody but the CPU heard of it. */
	assert_int_equal(model.nr_exits, 0);
	for (gpa = model.gpa; gpa < model.end; gpa += TLB_PAGE_4K)
		assert_int_equal(nested(gpa + 8),
				 window_private_pa(window, model.pa + (gpa - model.gpa)) + 8);
	assert_int_equal(nested(model.gpa - 1), NOTHING);
	assert_int_equal(nested(model.end), NOTHING);
}

static void large_memory_comes(void **state)
{
	(void)state;
	/* Shared: where the host has it. */
	model.gpa = UINT64_C(1) << 47;
	model.end = model.gpa + TLB_PAGE_2M;
	model.pa = 0x40000000;
	model.large = model.writable = true;
	enter();
	guest_stops(0x400, UINT64_C(1) << 32 | 4, model.gpa + 0x54321);
	stops_at(world_resume);
	assert_int_equal(nested(model.gpa), 0x40000000);
	assert_int_equal(nested(model.gpa + 0x1fffff), 0x401fffff);
}

/* An event that was on its way is delivered after the page came. */
static void event_survives(void **state)
{
	(void)state;
	model.gpa = 0x100000;
	model.end = 0x101000;
	model.is_private = true;
	enter();
	guest_stops(0x400, UINT64_C(1) << 32 | 4, 0x100000);
	lp()->guest_vmcb.control.exit_int_info = 0x80000b0e;
	lp()->guest_vmcb.control.exit_int_error = 2;
	stops_at(world_resume);
	assert_int_equal(lp()->guest_vmcb.control.event, 0x80000b0e);
	assert_int_equal(lp()->guest_vmcb.control.event_error, 2);
}

/* Absent, or not allowed: that is the model's. */
static void memory_does_not_come(void **state)
{
	(void)state;
	model.gpa = 0x100000;
	model.end = 0x101000;
	model.end_of_exit = SEAM_END_DONE;
	enter();
	guest_stops(0x400, UINT64_C(1) << 32 | 4, 0x101000);
	stops_at(world_leave);
	assert_ptr_equal(leave(), &site);
	assert_int_equal(model.exit.why, GUEST_STOP_MEMORY);
	assert_int_equal(model.exit.gpa, 0x101000);

	enter();
	guest_stops(0x400, UINT64_C(1) << 32 | 6, 0x100000);
	assert_ptr_equal(leave(), &site);
	enter();
	guest_stops(0x400, UINT64_C(1) << 32 | 0x14, 0x100000);
	assert_ptr_equal(leave(), &site);
	assert_int_equal(model.nr_exits, 3);
	assert_true(model.exit.fetch);
}

static void map_one(void)
{
	model.gpa = 0x100000;
	model.end = 0x101000;
	model.is_private = true;
	model.end_of_exit = SEAM_END_DONE;
	enter();
	guest_stops(0x400, UINT64_C(1) << 32 | 4, 0x100000);
	stops_at(world_resume);
	guest_stops(0x60, 0, 0);
	leave();
}

/* Translations stay over entries, and go with their vCPU, epoch or INVEPT. */
static void translations(void **state)
{
	(void)state;
	model.run.tlb_id = 3;
	map_one();
	enter();
	assert_int_not_equal(nested(0x100000), NOTHING);
	guest_stops(0x60, 0, 0);
	leave();

	model.run.tlb_epoch++;
	enter();
	assert_int_equal(nested(0x100000), NOTHING);
	guest_stops(0x60, 0, 0);
	leave();

	map_one();
	model.run.tlb_id++;
	enter();
	assert_int_equal(nested(0x100000), NOTHING);
	guest_stops(0x60, 0, 0);
	leave();

	map_one();
	td_invept(v);
	enter();
	assert_int_equal(nested(0x100000), NOTHING);
}

/* No table left: all translations are dropped, and the last one is made again. */
static void translations_overflow(void **state)
{
	(void)state;
	model.is_private = true;
	enter();
	v->td.tlb.nr_tables = 5;
	for (unsigned int i = 0; i < 3; i++) {
		model.gpa = (uint64_t)i << 40;
		model.end = model.gpa + TLB_PAGE_4K;
		guest_stops(0x400, UINT64_C(1) << 32 | 4, model.gpa);
		stops_at(world_resume);
		assert_int_not_equal(nested(model.gpa), NOTHING);
		if (i)
			assert_int_equal(nested((uint64_t)(i - 1) << 40), NOTHING);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		td_test(memory_comes),
		td_test(large_memory_comes),
		td_test(event_survives),
		td_test(memory_does_not_come),
		td_test(translations),
		td_test(translations_overflow),
	};

	return cmocka_run_group_tests_name("run_td_memory", tests, NULL, NULL);
}
