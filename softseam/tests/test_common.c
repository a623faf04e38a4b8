// SPDX-License-Identifier: GPL-2.0-only
/* What is refused before a leaf begins, for each leaf that there is. */
#include "state.h"

/* A module with every feature. */
#define ALL_FEATURES	"0x4009000140040"

static struct host *start(enum stage stage)
{
	static const char *const args[] = { "features0", ALL_FEATURES, NULL };
	struct host *h = host_new(args);

	host_start(h);
	host_goto(h, stage);
	return h;
}

/* Let all leaves without @flags fail with @status, with @more in RAX. */
static void all_fail(struct host *h, unsigned int flags, uint64_t more, uint64_t status,
		     const char *why)
{
	unsigned int nr = 0;

	for (uint64_t number = 0; number < SEAM_MAX_LEAF; number++) {
		const struct leaf *leaf = leaf_get(number);

		if (!leaf || !leaf->run || leaf->flags & flags)
			continue;
		host_must_fail(h, 0, (struct seam_regs){ .rax = number | more, .rcx = 0x5000 },
			       status, why);
		nr++;
	}
	assert_true(nr > 20);
	host_free(h);
}

static void reserved_bits(void **state)
{
	(void)state;
	all_fail(start(STAGE_TDMRS), 0, 1 << 24, TDX_OPERAND_INVALID | OPERAND_RAX,
		 "rax_reserved");
}

/* The next version of each leaf, and of none the last one that could be. */
static void versions(void **state)
{
	(void)state;
	all_fail(start(STAGE_TDMRS), 0, 255 << 16, TDX_OPERAND_INVALID | OPERAND_RAX,
		 "rax_version");
}

/* A call that needs the module alone runs; or this call does and another one runs. */
static void busy(void **state)
{
	struct host *h = start(STAGE_TDMRS);

	(void)state;
	assert_true(lock_try_exclusive(&h->seam->sys_lock));
	/* SYS.DISABLE leaves a mark when it is refused: test_sys.c. */
	for (uint64_t number = 0; number < SEAM_MAX_LEAF; number++) {
		const struct leaf *leaf = leaf_get(number);

		if (leaf && leaf->run && number != TDH_SYS_DISABLE)
			host_must_fail(h, 0, (struct seam_regs){ .rax = number }, TDX_SYS_BUSY,
				       "module_locked");
	}
	host_free(h);
}

static void shut_down(void **state)
{
	(void)state;
	all_fail(start(STAGE_SHUTDOWN), 0, 0, TDX_SYS_SHUTDOWN, "shut_down");
}

static void not_ready(void **state)
{
	(void)state;
	all_fail(start(STAGE_CONFIG), LEAF_EARLY, 0, TDX_SYS_NOT_READY, "not_ready");
}

/* Numbers without a leaf, in every state and with every version. */
static void no_leaf(void **state)
{
	static const enum stage stages[] = { STAGE_PENDING, STAGE_READY, STAGE_SHUTDOWN };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(stages); i++) {
		struct host *h = start(stages[i]);

		for (uint64_t number = 0; number < 256; number++) {
			const struct leaf *leaf = leaf_get(number);

			if (!leaf || !leaf->run)
				host_must_fail(h, 0, (struct seam_regs){ .rax = number },
					       TDX_OPERAND_INVALID | OPERAND_RAX, "no_leaf");
		}
		host_free(h);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reserved_bits),
		cmocka_unit_test(versions),
		cmocka_unit_test(busy),
		cmocka_unit_test(shut_down),
		cmocka_unit_test(not_ready),
		cmocka_unit_test(no_leaf),
	};

	return cmocka_run_group_tests_name("common", tests, NULL, NULL);
}
