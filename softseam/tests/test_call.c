// SPDX-License-Identifier: GPL-2.0-only
/* What every SEAMCALL has in common: RAX, system state, counters, injection. */
#include <string.h>

#include "host.h"

#define LEAF(number)	{ .rax = (number) }

TWIST(exclusive, lock_try_exclusive(&h->seam->sys_lock))

#define BAD_RAX(name, rax) \
	{ name, .in = LEAF(rax), .status = TDX_OPERAND_INVALID | OPERAND_RAX }
#define BAD_BIT(bit)	BAD_RAX("reserved_bit_" #bit, TDH_SYS_INIT | 1ULL << bit)

static const struct row rows[] = {
	BAD_BIT(24), BAD_BIT(25), BAD_BIT(26), BAD_BIT(27), BAD_BIT(28), BAD_BIT(29),
	BAD_BIT(30), BAD_BIT(31), BAD_BIT(32), BAD_BIT(33), BAD_BIT(40), BAD_BIT(47),
	BAD_BIT(48), BAD_BIT(56), BAD_BIT(61), BAD_BIT(62),
	BAD_RAX("version_1", TDH_SYS_INIT | 1 << 16),
	BAD_RAX("version_255", TDH_SYS_INIT | 255 << 16),
	BAD_RAX("version_of_config", TDH_SYS_CONFIG | 1 << 16),
	BAD_RAX("unknown_leaf_62", 62),
	BAD_RAX("unknown_leaf_145", 145),
	BAD_RAX("unknown_leaf_192", 192),
	BAD_RAX("unknown_leaf_65535", 65535),
	BAD_RAX("leaf_not_there_yet", 12),
	BAD_RAX("leaf_not_there_yet_version", 23 | 1 << 16),
	{ "unknown_before_shutdown", .stage = STAGE_SHUTDOWN, .in = LEAF(62),
	  .status = TDX_OPERAND_INVALID | OPERAND_RAX },
	{ "unknown_before_busy", .twist = exclusive, .in = LEAF(62),
	  .status = TDX_OPERAND_INVALID | OPERAND_RAX },

	{ "shutdown_init", .stage = STAGE_SHUTDOWN, .in = LEAF(TDH_SYS_INIT),
	  .status = TDX_SYS_SHUTDOWN },
	{ "shutdown_lp_init", .stage = STAGE_SHUTDOWN, .in = LEAF(TDH_SYS_LP_INIT),
	  .status = TDX_SYS_SHUTDOWN },
	{ "shutdown_rd", .stage = STAGE_SHUTDOWN, .in = LEAF(TDH_SYS_RD),
	  .status = TDX_SYS_SHUTDOWN },
	{ "shutdown_config", .stage = STAGE_SHUTDOWN, .in = LEAF(TDH_SYS_CONFIG),
	  .status = TDX_SYS_SHUTDOWN },
	{ "shutdown_key_config", .stage = STAGE_SHUTDOWN, .in = LEAF(TDH_SYS_KEY_CONFIG),
	  .status = TDX_SYS_SHUTDOWN },
	{ "shutdown_tdmr_init", .stage = STAGE_SHUTDOWN, .in = LEAF(TDH_SYS_TDMR_INIT),
	  .status = TDX_SYS_SHUTDOWN },
	{ "shutdown_rdmd", .stage = STAGE_SHUTDOWN, .in = LEAF(TDH_PHYMEM_PAGE_RDMD),
	  .status = TDX_SYS_SHUTDOWN },
	{ "busy_before_state", .stage = STAGE_SHUTDOWN, .twist = exclusive,
	  .in = LEAF(TDH_PHYMEM_PAGE_RDMD), .status = TDX_SYS_BUSY },
	{ "rd_busy", .stage = STAGE_LPS, .twist = exclusive, .in = LEAF(TDH_SYS_RD),
	  .status = TDX_SYS_BUSY },
};

static void no_module(void **state)
{
	const char *const args[] = { "module", "none", NULL };
	struct host *h = host_new(args);
	struct seam_regs in = { .rax = TDH_SYS_INIT, .rcx = 1, .r11 = 3 };
	struct seam_regs out = in;
	struct seam_stats st;

	(void)state;
	host_start(h);
	assert_int_equal(host_call(h, 0, &out), SEAM_END_VMFAILINVALID);
	assert_memory_equal(&in, &out, sizeof(in));

	seam_get_stats(h->seam, &st);
	assert_int_equal(st.leaf[TDH_SYS_INIT].calls, 1);
	assert_int_equal(st.leaf[TDH_SYS_INIT].errors, 1);
	host_free(h);
}

/* There is no P-SEAM loader. */
static void p_seamldr(void **state)
{
	struct host *h = *state;
	struct seam_regs in = { .rax = 1ULL << 63 | TDH_SYS_INIT };
	struct seam_regs out = in;

	host_start(h);
	assert_int_equal(host_call(h, 0, &out), SEAM_END_VMFAILINVALID);
	assert_memory_equal(&in, &out, sizeof(in));
}

static void counters(void **state)
{
	struct host *h = *state;
	struct seam_stats st;

	host_start(h);
	host_goto(h, STAGE_INIT);
	assert_status(host_status(h, 0, (struct seam_regs)LEAF(TDH_SYS_INIT)),
		      TDX_SYS_INIT_NOT_PENDING);
	host_status(h, 0, (struct seam_regs)LEAF(62));
	host_status(h, 0, (struct seam_regs)LEAF(4000));
	host_status(h, 0, (struct seam_regs)LEAF(9));

	seam_get_stats(h->seam, &st);
	assert_int_equal(st.leaf[TDH_SYS_INIT].calls, 2);
	assert_int_equal(st.leaf[TDH_SYS_INIT].errors, 1);
	assert_int_equal(st.leaf[TDH_SYS_INIT].injected, 0);
	assert_int_equal(st.leaf[TDH_SYS_INIT].ns, 2000);
	assert_int_equal(st.leaf[9].calls, 1);
	assert_int_equal(st.leaf[9].errors, 1);
	assert_int_equal(st.unknown, 2);
	assert_int_equal(st.sys_state, SYS_SYSINIT_DONE);
}

/* A warning such as KEY_CONFIGURED is not an error. */
static void warnings_are_no_errors(void **state)
{
	struct host *h = *state;
	struct seam_stats st;

	host_start(h);
	host_goto(h, STAGE_CONFIG);
	host_status(h, 0, (struct seam_regs)LEAF(TDH_SYS_KEY_CONFIG));
	assert_status(host_status(h, 1, (struct seam_regs)LEAF(TDH_SYS_KEY_CONFIG)),
		      TDX_KEY_CONFIGURED);
	seam_get_stats(h->seam, &st);
	assert_int_equal(st.leaf[TDH_SYS_KEY_CONFIG].calls, 2);
	assert_int_equal(st.leaf[TDH_SYS_KEY_CONFIG].errors, 0);
}

static void event_is_told(void **state)
{
	struct host *h = *state;
	struct seam_regs regs = { .rax = TDH_SYS_INIT, .rcx = 5 };

	host_start(h);
	host_call(h, 3, &regs);
	assert_int_equal(h->nr_events, 1);
	assert_int_equal(h->event.cpu, 3);
	assert_int_equal(h->event.how, SEAM_END_DONE);
	assert_false(h->event.injected);
	assert_int_equal(h->event.end - h->event.start, 1000);
	assert_int_equal(h->event_in.rax, TDH_SYS_INIT);
	assert_status(h->event_out.rax, TDX_OPERAND_INVALID | OPERAND_RCX);
}

/* Each call of the 40 is answered by the injection or not; returns how many. */
static unsigned int injected_calls(struct host *h, uint64_t leaf, uint64_t status, uint64_t *map)
{
	unsigned int n = 0;

	*map = 0;
	for (unsigned int i = 0; i < 40; i++) {
		if (host_status(h, 0, (struct seam_regs)LEAF(leaf)) == status) {
			*map |= 1ULL << i;
			n++;
		}
	}
	return n;
}

static struct host *injecting(const char *text, const char *seed)
{
	const char *const args[] = { "inject", text, "seed", seed, NULL };
	struct host *h = host_new(args);

	host_start(h);
	return h;
}

static void inject_nth(void **state)
{
	struct host *h = injecting("SYS.INIT:3:OPERAND_BUSY|TDR", "0");
	uint64_t map;

	(void)state;
	assert_int_equal(injected_calls(h, TDH_SYS_INIT, TDX_OPERAND_BUSY | OPERAND_TDR, &map), 1);
	assert_int_equal(map, 1 << 2);
	host_free(h);
}

static void inject_nth_count(void **state)
{
	struct host *h = injecting("SYS.INIT:3:SYS_BUSY:4", "0");
	uint64_t map;

	(void)state;
	assert_int_equal(injected_calls(h, TDH_SYS_INIT, TDX_SYS_BUSY, &map), 4);
	assert_int_equal(map, 0xf << 2);
	host_free(h);
}

static void inject_from_nth(void **state)
{
	struct host *h = injecting("SYS.INIT:39:SYS_BUSY:*", "0");
	uint64_t map;

	(void)state;
	injected_calls(h, TDH_SYS_INIT, TDX_SYS_BUSY, &map);
	assert_int_equal(map, 3ULL << 38);
	host_free(h);
}

static void inject_always(void **state)
{
	struct host *h = injecting("SYS.INIT:*:SYS_BUSY", "0");
	uint64_t map;

	(void)state;
	assert_int_equal(injected_calls(h, TDH_SYS_INIT, TDX_SYS_BUSY, &map), 40);
	assert_int_equal(h->seam->sys_state, SYS_PENDING);
	host_free(h);
}

static void inject_several(void **state)
{
	struct host *h = injecting("SYS.INIT:1:SYS_BUSY/SYS.INIT:2:RND_NO_ENTROPY/35:1:0x123", "0");

	(void)state;
	assert_status(host_status(h, 0, (struct seam_regs)LEAF(TDH_SYS_INIT)), TDX_SYS_BUSY);
	assert_status(host_status(h, 0, (struct seam_regs)LEAF(TDH_SYS_INIT)), TDX_RND_NO_ENTROPY);
	assert_status(host_status(h, 0, (struct seam_regs)LEAF(TDH_SYS_INIT)), TDX_SUCCESS);
	assert_int_equal(host_status(h, 0, (struct seam_regs)LEAF(TDH_SYS_LP_INIT)), 0x123);
	assert_status(host_status(h, 0, (struct seam_regs)LEAF(TDH_SYS_LP_INIT)), TDX_SUCCESS);
	host_free(h);
}

/* The first of two that match wins, and both count the call as theirs. */
static void inject_same_call(void **state)
{
	struct host *h = injecting("SYS.INIT:1:SYS_BUSY/SYS.INIT:1:RND_NO_ENTROPY:2", "0");

	(void)state;
	assert_status(host_status(h, 0, (struct seam_regs)LEAF(TDH_SYS_INIT)), TDX_SYS_BUSY);
	assert_status(host_status(h, 0, (struct seam_regs)LEAF(TDH_SYS_INIT)), TDX_RND_NO_ENTROPY);
	assert_status(host_status(h, 0, (struct seam_regs)LEAF(TDH_SYS_INIT)), TDX_SUCCESS);
	host_free(h);
}

static void inject_random(void **state)
{
	struct host *a = injecting("SYS.INIT:~30:SYS_BUSY", "1");
	struct host *b = injecting("SYS.INIT:~30:SYS_BUSY", "1");
	struct host *c = injecting("SYS.INIT:~30:SYS_BUSY", "2");
	uint64_t map_a, map_b, map_c;
	unsigned int n = injected_calls(a, TDH_SYS_INIT, TDX_SYS_BUSY, &map_a);

	(void)state;
	injected_calls(b, TDH_SYS_INIT, TDX_SYS_BUSY, &map_b);
	injected_calls(c, TDH_SYS_INIT, TDX_SYS_BUSY, &map_c);
	assert_uint_in_range(n, 4, 24);
	assert_int_equal(map_a, map_b);
	assert_int_not_equal(map_a, map_c);
	host_free(a);
	host_free(b);
	host_free(c);
}

static void inject_random_limited(void **state)
{
	struct host *h = injecting("SYS.INIT:~50:SYS_BUSY:3", "7");
	uint64_t map;

	(void)state;
	assert_int_equal(injected_calls(h, TDH_SYS_INIT, TDX_SYS_BUSY, &map), 3);
	host_free(h);
}

static void inject_certain(void **state)
{
	struct host *h = injecting("SYS.INIT:~100:SYS_BUSY", "7");
	uint64_t map;

	(void)state;
	assert_int_equal(injected_calls(h, TDH_SYS_INIT, TDX_SYS_BUSY, &map), 40);
	host_free(h);
}

static void assert_ends(const char *text, enum seam_end how)
{
	struct host *h = injecting(text, "0");
	struct seam_regs in = { .rax = TDH_SYS_INIT, .rcx = 9, .rdx = 8 };
	struct seam_regs out = in;
	struct seam_stats st;

	assert_int_equal(host_call(h, 0, &out), how);
	assert_memory_equal(&in, &out, sizeof(in));
	assert_true(h->event.injected);
	seam_get_stats(h->seam, &st);
	assert_int_equal(st.leaf[TDH_SYS_INIT].errors, 1);
	assert_int_equal(st.leaf[TDH_SYS_INIT].injected, 1);
	host_free(h);
}

static void inject_vmfail(void **state)
{
	(void)state;
	assert_ends("SYS.INIT:1:VMFAIL", SEAM_END_VMFAILINVALID);
}

static void inject_gp(void **state)
{
	(void)state;
	assert_ends("SYS.INIT:1:GP", SEAM_END_GP);
}

static void inject_ud(void **state)
{
	(void)state;
	assert_ends("SYS.INIT:1:UD", SEAM_END_UD);
}

/* An injected result comes without effect and without outputs. */
static void inject_has_no_effect(void **state)
{
	const char *const args[] = { "inject", "SYS.TDMR.INIT:1:SUCCESS", NULL };
	struct host *h = host_new(args);
	struct seam_regs in = { .rax = TDH_SYS_TDMR_INIT, .rcx = 4 * GB, .rdx = 5 };
	uint64_t before;

	(void)state;
	host_start(h);
	host_goto(h, STAGE_READY);
	before = host_digest(h);
	host_call(h, 0, &in);
	assert_status(in.rax, TDX_SUCCESS);
	assert_int_equal(in.rdx, 5);
	assert_int_equal(host_digest(h), before);
	host_free(h);
}

/* A leaf that does not exist can be given a result, too. */
static void inject_unknown_leaf(void **state)
{
	struct host *h = injecting("62:1:SUCCESS", "0");
	struct seam_stats st;

	(void)state;
	assert_status(host_status(h, 0, (struct seam_regs)LEAF(62)), TDX_SUCCESS);
	seam_get_stats(h->seam, &st);
	assert_int_equal(st.unknown, 1);
	host_free(h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_module),
		host_test(p_seamldr),
		host_test(counters),
		host_test(warnings_are_no_errors),
		host_test(event_is_told),
		cmocka_unit_test(inject_nth),
		cmocka_unit_test(inject_nth_count),
		cmocka_unit_test(inject_from_nth),
		cmocka_unit_test(inject_always),
		cmocka_unit_test(inject_several),
		cmocka_unit_test(inject_same_call),
		cmocka_unit_test(inject_random),
		cmocka_unit_test(inject_random_limited),
		cmocka_unit_test(inject_certain),
		cmocka_unit_test(inject_vmfail),
		cmocka_unit_test(inject_gp),
		cmocka_unit_test(inject_ud),
		cmocka_unit_test(inject_has_no_effect),
		cmocka_unit_test(inject_unknown_leaf),
	};
	int failed = run_rows("call", rows, ARRAY_SIZE(rows));

	return failed + cmocka_run_group_tests_name("call_state", tests, NULL, NULL);
}
