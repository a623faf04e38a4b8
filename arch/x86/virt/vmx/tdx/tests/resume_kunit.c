// SPDX-License-Identifier: GPL-2.0
/* KUnit tests for the repetition of interrupted SEAMCALLs. */
#include <kunit/test.h>
#include <kunit/test-bug.h>
#include <asm/shared/tdx_errno.h>

#include "../resume.h"
#include "fake_seam.h"

#define LEAF	0x1234

/* Steps that the fake leaf takes before it is done; it polls between them. */
#define STEPS	7

/* Progress of a leaf that keeps it in the module. */
static unsigned int steps_done;

static const struct tdx_module_args operands = {
	.rcx = 1, .rdx = 2, .r8 = 3, .r9 = 4, .r10 = 5, .r11 = 6, .r12 = 7,
	.r13 = 8, .r14 = 9, .r15 = 10, .rbx = 11, .rdi = 12, .rsi = 13,
	.version = 1,
};

static u64 leaf_with_memory(struct fake_seam *seam, u64 fn, struct tdx_module_args *args)
{
	while (++steps_done < STEPS) {
		if (!fake_seam_interrupts(seam))
			continue;
		fake_seam_poison(args);
		return TDX_INTERRUPTED_RESUMABLE;
	}

	fake_seam_poison(args);
	args->rcx = STEPS;
	return TDX_SUCCESS;
}

/* RCX is the number of the next step, from 1. */
static u64 leaf_with_list(struct fake_seam *seam, u64 fn, struct tdx_module_args *args)
{
	u64 next = args->rcx;

	fake_seam_poison(args);
	while (next++ < STEPS) {
		if (!fake_seam_interrupts(seam))
			continue;
		args->rcx = next;
		return TDX_INTERRUPTED_RESUMABLE;
	}

	args->rcx = next;
	return TDX_SUCCESS;
}

static u64 leaf_never_done(struct fake_seam *seam, u64 fn, struct tdx_module_args *args)
{
	fake_seam_interrupts(seam);
	fake_seam_poison(args);
	return TDX_INTERRUPTED_RESUMABLE;
}

static void expect_operands(struct kunit *test, const struct fake_seam *seam,
			    unsigned int call, u64 rcx)
{
	struct tdx_module_args expected = operands;

	expected.rcx = rcx;
	KUNIT_EXPECT_EQ(test, seam->fn[call], LEAF);
	KUNIT_EXPECT_MEMEQ(test, &seam->in[call], &expected, sizeof(expected));
}

static int resume_test_init(struct kunit *test)
{
	steps_done = 0;
	return 0;
}

static void uninterrupted_call_is_made_once(struct kunit *test)
{
	struct fake_seam *seam = fake_seam_install(test, leaf_with_memory);
	struct tdx_module_args args = operands;

	KUNIT_EXPECT_EQ(test, tdx_seamcall_reissue(LEAF, &args), TDX_SUCCESS);
	KUNIT_EXPECT_EQ(test, seam->nr_calls, 1);
	KUNIT_EXPECT_EQ(test, args.rcx, STEPS);
	expect_operands(test, seam, 0, operands.rcx);
}

static void reissue_keeps_all_operands(struct kunit *test)
{
	for (unsigned int point = 1; point < STEPS; point++) {
		struct fake_seam *seam = fake_seam_install(test, leaf_with_memory);
		struct tdx_module_args args = operands;

		steps_done = 0;
		seam->interrupt_at = point;
		KUNIT_EXPECT_EQ(test, tdx_seamcall_reissue(LEAF, &args), TDX_SUCCESS);
		KUNIT_EXPECT_EQ(test, seam->nr_calls, 2);
		KUNIT_EXPECT_EQ(test, args.rcx, STEPS);
		expect_operands(test, seam, 0, operands.rcx);
		expect_operands(test, seam, 1, operands.rcx);
	}
}

static void reissue_survives_all_interrupts(struct kunit *test)
{
	struct fake_seam *seam = fake_seam_install(test, leaf_with_memory);
	struct tdx_module_args args = operands;

	seam->interrupt_all = true;
	KUNIT_EXPECT_EQ(test, tdx_seamcall_reissue(LEAF, &args), TDX_SUCCESS);
	KUNIT_EXPECT_EQ(test, seam->nr_calls, STEPS);
	for (unsigned int call = 0; call < STEPS; call++)
		expect_operands(test, seam, call, operands.rcx);
}

static void resume_passes_returned_rcx_only(struct kunit *test)
{
	for (unsigned int point = 1; point < STEPS; point++) {
		struct fake_seam *seam = fake_seam_install(test, leaf_with_list);
		struct tdx_module_args args = operands;

		seam->interrupt_at = point;
		KUNIT_EXPECT_EQ(test, tdx_seamcall_resume(LEAF, &args), TDX_SUCCESS);
		KUNIT_EXPECT_EQ(test, seam->nr_calls, 2);
		expect_operands(test, seam, 0, operands.rcx);
		expect_operands(test, seam, 1, operands.rcx + point);
	}
}

static void resume_survives_all_interrupts(struct kunit *test)
{
	struct fake_seam *seam = fake_seam_install(test, leaf_with_list);
	struct tdx_module_args args = operands;

	seam->interrupt_all = true;
	KUNIT_EXPECT_EQ(test, tdx_seamcall_resume(LEAF, &args), TDX_SUCCESS);
	KUNIT_EXPECT_EQ(test, seam->nr_calls, STEPS);
	for (unsigned int call = 0; call < STEPS; call++)
		expect_operands(test, seam, call, operands.rcx + call);
}

static void failure_ends_the_repetition(struct kunit *test)
{
	for (unsigned int call = 1; call <= STEPS; call++) {
		struct fake_seam *seam = fake_seam_install(test, leaf_with_memory);
		struct tdx_module_args args = operands;

		steps_done = 0;
		seam->interrupt_all = true;
		seam->fail_at = call;
		seam->fail_with = TDX_OPERAND_INVALID | TDX_OPERAND_ID_RCX;
		KUNIT_EXPECT_EQ(test, tdx_seamcall_reissue(LEAF, &args), seam->fail_with);
		KUNIT_EXPECT_EQ(test, seam->nr_calls, call);
		KUNIT_EXPECT_FALSE(test, tdx_seamcall_interrupted());
	}
}

/* Details in the low half or a neighbouring status make it another status. */
static void only_the_exact_status_repeats(struct kunit *test)
{
	static const u64 statuses[] = {
		TDX_INTERRUPTED_RESUMABLE | 1,
		TDX_INTERRUPTED_RESUMABLE | BIT_ULL(31),
		TDX_INTERRUPTED_RESUMABLE | BIT_ULL(62),
		TDX_INTERRUPTED_RESUMABLE & ~BIT_ULL(63),
		/* TDX_INTERRUPTED_RESTARTABLE */
		0x8000000400000000ULL,
		TDX_SYS_BUSY,
		TDX_SEAMCALL_UD,
		TDX_SEAMCALL_VMFAILINVALID,
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(statuses); i++) {
		struct fake_seam *seam = fake_seam_install(test, leaf_with_memory);
		struct tdx_module_args args = operands;

		seam->fail_at = 1;
		seam->fail_with = statuses[i];
		KUNIT_EXPECT_EQ(test, tdx_seamcall_resume(LEAF, &args), statuses[i]);
		KUNIT_EXPECT_EQ(test, seam->nr_calls, 1);
	}
}

static void limit_is_exact(struct kunit *test)
{
	for (unsigned int max = 1; max <= 5; max++) {
		struct fake_seam *seam = fake_seam_install(test, leaf_never_done);
		struct tdx_module_args args = operands;

		KUNIT_EXPECT_EQ(test, tdx_seamcall_reissue_limited(LEAF, &args, max),
				TDX_INTERRUPTED_RESUMABLE);
		KUNIT_EXPECT_EQ(test, seam->nr_calls, max);
		KUNIT_EXPECT_FALSE(test, tdx_seamcall_interrupted());
	}
}

static void limit_does_not_matter_to_a_call_that_ends(struct kunit *test)
{
	struct fake_seam *seam = fake_seam_install(test, leaf_with_memory);
	struct tdx_module_args args = operands;

	seam->interrupt_all = true;
	KUNIT_EXPECT_EQ(test, tdx_seamcall_reissue_limited(LEAF, &args, STEPS), TDX_SUCCESS);
	KUNIT_EXPECT_EQ(test, seam->nr_calls, STEPS);
}

/* A runtime update that comes between two attempts has to see it. */
static u64 leaf_looks_around(struct fake_seam *seam, u64 fn, struct tdx_module_args *args)
{
	struct kunit *test = kunit_get_current_test();

	KUNIT_EXPECT_EQ(test, tdx_seamcall_interrupted(), seam->nr_calls > 1);
	return leaf_with_memory(seam, fn, args);
}

static void interrupted_calls_are_known(struct kunit *test)
{
	struct fake_seam *seam = fake_seam_install(test, leaf_looks_around);
	struct tdx_module_args args = operands;

	seam->interrupt_all = true;
	KUNIT_EXPECT_FALSE(test, tdx_seamcall_interrupted());
	KUNIT_EXPECT_EQ(test, tdx_seamcall_reissue(LEAF, &args), TDX_SUCCESS);
	KUNIT_EXPECT_EQ(test, seam->nr_calls, STEPS);
	KUNIT_EXPECT_FALSE(test, tdx_seamcall_interrupted());
}

static struct kunit_case resume_test_cases[] = {
	KUNIT_CASE(uninterrupted_call_is_made_once),
	KUNIT_CASE(reissue_keeps_all_operands),
	KUNIT_CASE(reissue_survives_all_interrupts),
	KUNIT_CASE(resume_passes_returned_rcx_only),
	KUNIT_CASE(resume_survives_all_interrupts),
	KUNIT_CASE(failure_ends_the_repetition),
	KUNIT_CASE(only_the_exact_status_repeats),
	KUNIT_CASE(limit_is_exact),
	KUNIT_CASE(limit_does_not_matter_to_a_call_that_ends),
	KUNIT_CASE(interrupted_calls_are_known),
	{}
};

static struct kunit_suite resume_test_suite = {
	.name = "tdx-resume",
	.init = resume_test_init,
	.test_cases = resume_test_cases,
};

kunit_test_suite(resume_test_suite);
