// SPDX-License-Identifier: GPL-2.0-only
/* TDH.SYS.INIT, LP.INIT, KEY.CONFIG, TDMR.INIT and DISABLE. */
#include "host.h"

#define LEAF(number)	{ .rax = (number) }
#define TDMR_INIT(base)	{ .rax = TDH_SYS_TDMR_INIT, .rcx = (base) }

static void flip_msr(struct host *h, unsigned int cpu, uint32_t msr, uint64_t flip)
{
	h->msr_cpu = cpu;
	h->msr = msr;
	h->msr_flip = flip;
}

static void flip_cpuid(struct host *h, uint32_t leaf, enum cpuid_reg reg, uint32_t flip)
{
	h->cpuid_leaf = leaf;
	h->cpuid_reg = reg;
	h->cpuid_flip = flip;
}

static void set_cmrs(struct host *h, unsigned int nr, const struct seam_range *range)
{
	h->seam->cfg.nr_cmrs = nr;
	for (unsigned int i = 0; i < nr; i++)
		h->seam->cfg.cmr[i] = range[i];
}

#define CMRS(...)									\
	set_cmrs(h, sizeof((struct seam_range[]){ __VA_ARGS__ }) / sizeof(struct seam_range), \
		 (struct seam_range[]){ __VA_ARGS__ })

TWIST(attributes, in->rcx = 1)
TWIST(attributes_high, in->rcx = 1ULL << 63)
TWIST(locked_shared, lock_try_shared(&h->seam->sys_lock))
TWIST(locked_exclusive, lock_try_exclusive(&h->seam->sys_lock))
TWIST(no_vmx, flip_cpuid(h, 1, ECX, 1U << 5))
TWIST(no_xsave, flip_cpuid(h, 1, ECX, 1U << 26))
TWIST(no_self_snoop, flip_cpuid(h, 1, EDX, 1U << 27))
TWIST(no_movdir64b, flip_cpuid(h, 7, ECX, 1U << 28))
TWIST(other_address_bits, flip_cpuid(h, 0x80000008, EAX, 1))
TWIST(address_bits_with_keyids, flip_cpuid(h, 0x80000008, EAX, 40 ^ 46))
TWIST(other_private_keyids, flip_msr(h, 0, 0x87, 1ULL << 32))
TWIST(other_shared_keyids, flip_msr(h, 0, 0x87, 1))
TWIST(attributes_and_cpuid, in->rcx = 1; no_vmx(h, in))
TWIST(cpuid_and_msr, no_vmx(h, in); other_shared_keyids(h, in))
TWIST(msr_and_cmr, other_shared_keyids(h, in); CMRS({ 1, 4096 }))
TWIST(cmr_base_misaligned, CMRS({ 1 * MB + 1, 4096 }))
TWIST(cmr_size_misaligned, CMRS({ 1 * MB, 4097 }))
TWIST(cmr_descends, CMRS({ 4 * GB, GB }, { 1 * GB, GB }))
TWIST(cmr_overlaps, CMRS({ 1 * GB, 2 * GB }, { 2 * GB, GB }))
TWIST(cmr_keyid, CMRS({ 1ULL << HOST_HPA_BITS, GB }))
TWIST(cmr_end_keyid, CMRS({ (1ULL << HOST_HPA_BITS) - GB, 2 * GB }))
TWIST(cmr_wraps, CMRS({ 0 - SZ_4K, 8192 }))
TWIST(cmr_null_between, CMRS({ 0, GB }, { 0, 0 }, { 2 * GB, GB }))
TWIST(cmr_null_tail, CMRS({ 0, GB }, { 0, 0 }, { 0, 0 }))
TWIST(cmr_only_nulls, CMRS({ 0, 0 }))
TWIST(inconsistent_tsc_adjust, flip_msr(h, 2, 0x3B, 8))
TWIST(inconsistent_keyids, flip_msr(h, 2, 0x87, 1))
TWIST(inconsistent_vmx_basic, flip_msr(h, 2, 0x480, 1ULL << 54))
TWIST(inconsistent_elsewhere, flip_msr(h, 3, 0x480, 1))
TWIST(lp_done, h->seam->lp[2].init_done = true)
TWIST(lp_done_and_msr, lp_done(h, in); inconsistent_tsc_adjust(h, in))
TWIST(ket_locked, lock_try_exclusive(&h->seam->ket.lock))
TWIST(package_done, h->seam->ket.global_key = 1)
TWIST(package_done_and_ket, package_done(h, in); ket_locked(h, in))
TWIST(other_package_done, h->seam->ket.global_key = 2)
TWIST(dirty_caches, h->seam->lp[3].caches_clean = false)
TWIST(tdmr_locked, lock_try_exclusive(&h->seam->tdmr[1].lock))
TWIST(other_tdmr_locked, lock_try_exclusive(&h->seam->tdmr[2].lock))
TWIST(tdmr_finished_and_locked, lock_try_exclusive(&h->seam->tdmr[0].lock);
      in->rcx = 0)

static const struct row rows[] = {
	/* SYS.INIT */
	{ "init_success", .in = LEAF(TDH_SYS_INIT) },
	{ "init_any_cpu", .cpu = 3, .in = LEAF(TDH_SYS_INIT) },
	{ "init_attributes", .twist = attributes, .in = LEAF(TDH_SYS_INIT),
	  .status = TDX_OPERAND_INVALID | OPERAND_RCX },
	{ "init_attributes_high", .twist = attributes_high, .in = LEAF(TDH_SYS_INIT),
	  .status = TDX_OPERAND_INVALID | OPERAND_RCX },
	{ "init_locked_shared", .twist = locked_shared, .in = LEAF(TDH_SYS_INIT),
	  .status = TDX_SYS_BUSY },
	{ "init_locked_exclusive", .twist = locked_exclusive, .in = LEAF(TDH_SYS_INIT),
	  .status = TDX_SYS_BUSY },
	{ "init_twice", .stage = STAGE_INIT, .in = LEAF(TDH_SYS_INIT),
	  .status = TDX_SYS_INIT_NOT_PENDING },
	{ "init_when_ready", .stage = STAGE_READY, .in = LEAF(TDH_SYS_INIT),
	  .status = TDX_SYS_INIT_NOT_PENDING },
	{ "init_attributes_before_state", .stage = STAGE_INIT, .twist = attributes,
	  .in = LEAF(TDH_SYS_INIT), .status = TDX_OPERAND_INVALID | OPERAND_RCX },
	{ "init_attributes_before_cpuid", .twist = attributes_and_cpuid,
	  .in = LEAF(TDH_SYS_INIT), .status = TDX_OPERAND_INVALID | OPERAND_RCX },
	{ "init_no_vmx", .twist = no_vmx, .in = LEAF(TDH_SYS_INIT),
	  .status = TDX_INCORRECT_CPUID_VALUE },
	{ "init_no_xsave", .twist = no_xsave, .in = LEAF(TDH_SYS_INIT),
	  .status = TDX_INCORRECT_CPUID_VALUE },
	{ "init_no_self_snoop", .twist = no_self_snoop, .in = LEAF(TDH_SYS_INIT),
	  .status = TDX_INCORRECT_CPUID_VALUE },
	{ "init_no_movdir64b", .twist = no_movdir64b, .in = LEAF(TDH_SYS_INIT),
	  .status = TDX_INCORRECT_CPUID_VALUE },
	{ "init_other_address_bits", .twist = other_address_bits, .in = LEAF(TDH_SYS_INIT),
	  .status = TDX_INCORRECT_CPUID_VALUE },
	{ "init_address_bits_with_keyids", .twist = address_bits_with_keyids,
	  .in = LEAF(TDH_SYS_INIT) },
	{ "init_other_private_keyids", .twist = other_private_keyids,
	  .in = LEAF(TDH_SYS_INIT), .status = TDX_INCORRECT_MSR_VALUE | 0x87 },
	{ "init_other_shared_keyids", .twist = other_shared_keyids,
	  .in = LEAF(TDH_SYS_INIT), .status = TDX_INCORRECT_MSR_VALUE | 0x87 },
	{ "init_cpuid_before_msr", .twist = cpuid_and_msr, .in = LEAF(TDH_SYS_INIT),
	  .status = TDX_INCORRECT_CPUID_VALUE },
	{ "init_no_private_keyids", .args = { "keyids", "31+0" }, .in = LEAF(TDH_SYS_INIT),
	  .status = TDX_INCORRECT_MSR_VALUE | 0x87 },
	{ "init_too_many_keyids", .args = { "keyids", "31+2017" }, .in = LEAF(TDH_SYS_INIT),
	  .status = TDX_NUM_ACTIVATED_HKIDS_NOT_SUPPORTED },
	{ "init_most_keyids", .args = { "keyids", "31+2016" }, .in = LEAF(TDH_SYS_INIT) },
	{ "init_msr_before_cmr", .twist = msr_and_cmr, .in = LEAF(TDH_SYS_INIT),
	  .status = TDX_INCORRECT_MSR_VALUE | 0x87 },
	{ "init_cmr_base_misaligned", .twist = cmr_base_misaligned, .in = LEAF(TDH_SYS_INIT),
	  .status = TDX_CMR_LIST_INVALID },
	{ "init_cmr_size_misaligned", .twist = cmr_size_misaligned, .in = LEAF(TDH_SYS_INIT),
	  .status = TDX_CMR_LIST_INVALID },
	{ "init_cmr_descends", .twist = cmr_descends, .in = LEAF(TDH_SYS_INIT),
	  .status = TDX_CMR_LIST_INVALID },
	{ "init_cmr_overlaps", .twist = cmr_overlaps, .in = LEAF(TDH_SYS_INIT),
	  .status = TDX_CMR_LIST_INVALID },
	{ "init_cmr_keyid", .twist = cmr_keyid, .in = LEAF(TDH_SYS_INIT),
	  .status = TDX_CMR_LIST_INVALID },
	{ "init_cmr_end_keyid", .twist = cmr_end_keyid, .in = LEAF(TDH_SYS_INIT),
	  .status = TDX_CMR_LIST_INVALID },
	{ "init_cmr_wraps", .twist = cmr_wraps, .in = LEAF(TDH_SYS_INIT),
	  .status = TDX_CMR_LIST_INVALID },
	{ "init_cmr_null_between", .twist = cmr_null_between, .in = LEAF(TDH_SYS_INIT),
	  .status = TDX_CMR_LIST_INVALID },
	{ "init_cmr_null_tail", .twist = cmr_null_tail, .in = LEAF(TDH_SYS_INIT) },
	{ "init_cmr_only_nulls", .twist = cmr_only_nulls, .in = LEAF(TDH_SYS_INIT) },

	/* SYS.LP.INIT */
	{ "lp_init_success", .stage = STAGE_INIT, .cpu = 2, .in = LEAF(TDH_SYS_LP_INIT) },
	{ "lp_init_too_early", .cpu = 2, .in = LEAF(TDH_SYS_LP_INIT),
	  .status = TDX_SYS_LP_INIT_NOT_PENDING },
	{ "lp_init_too_late", .stage = STAGE_CONFIG, .cpu = 2, .in = LEAF(TDH_SYS_LP_INIT),
	  .status = TDX_SYS_LP_INIT_NOT_PENDING },
	{ "lp_init_when_ready", .stage = STAGE_READY, .cpu = 2, .in = LEAF(TDH_SYS_LP_INIT),
	  .status = TDX_SYS_LP_INIT_NOT_PENDING },
	{ "lp_init_twice", .stage = STAGE_LPS, .cpu = 2, .in = LEAF(TDH_SYS_LP_INIT),
	  .status = TDX_SYS_LP_INIT_DONE },
	{ "lp_init_twice_before_msr", .stage = STAGE_INIT, .twist = lp_done_and_msr, .cpu = 2,
	  .in = LEAF(TDH_SYS_LP_INIT), .status = TDX_SYS_LP_INIT_DONE },
	{ "lp_init_state_before_twice", .twist = lp_done, .cpu = 2, .in = LEAF(TDH_SYS_LP_INIT),
	  .status = TDX_SYS_LP_INIT_NOT_PENDING },
	{ "lp_init_tsc_adjust", .stage = STAGE_INIT, .twist = inconsistent_tsc_adjust, .cpu = 2,
	  .in = LEAF(TDH_SYS_LP_INIT), .status = TDX_INCONSISTENT_MSR | 0x3B },
	{ "lp_init_keyids", .stage = STAGE_INIT, .twist = inconsistent_keyids, .cpu = 2,
	  .in = LEAF(TDH_SYS_LP_INIT), .status = TDX_INCONSISTENT_MSR | 0x87 },
	{ "lp_init_vmx_basic", .stage = STAGE_INIT, .twist = inconsistent_vmx_basic, .cpu = 2,
	  .in = LEAF(TDH_SYS_LP_INIT), .status = TDX_INCONSISTENT_MSR | 0x480 },
	{ "lp_init_other_cpu_inconsistent", .stage = STAGE_INIT, .twist = inconsistent_elsewhere,
	  .cpu = 2, .in = LEAF(TDH_SYS_LP_INIT) },
	{ "lp_init_locked_shared", .stage = STAGE_INIT, .twist = locked_shared, .cpu = 2,
	  .in = LEAF(TDH_SYS_LP_INIT), .status = TDX_SYS_BUSY },
	{ "lp_init_locked_exclusive", .stage = STAGE_INIT, .twist = locked_exclusive, .cpu = 2,
	  .in = LEAF(TDH_SYS_LP_INIT), .status = TDX_SYS_BUSY },

	/* SYS.KEY.CONFIG */
	{ "key_config_success", .stage = STAGE_CONFIG, .in = LEAF(TDH_SYS_KEY_CONFIG) },
	{ "key_config_pending", .in = LEAF(TDH_SYS_KEY_CONFIG),
	  .status = TDX_SYS_KEY_CONFIG_NOT_PENDING },
	{ "key_config_too_early", .stage = STAGE_LPS, .in = LEAF(TDH_SYS_KEY_CONFIG),
	  .status = TDX_SYS_KEY_CONFIG_NOT_PENDING },
	{ "key_config_when_ready", .stage = STAGE_READY, .in = LEAF(TDH_SYS_KEY_CONFIG),
	  .status = TDX_SYS_KEY_CONFIG_NOT_PENDING },
	{ "key_config_twice", .stage = STAGE_CONFIG, .twist = package_done, .cpu = 1,
	  .in = LEAF(TDH_SYS_KEY_CONFIG), .status = TDX_KEY_CONFIGURED },
	{ "key_config_twice_before_busy", .stage = STAGE_CONFIG, .twist = package_done_and_ket,
	  .in = LEAF(TDH_SYS_KEY_CONFIG), .status = TDX_KEY_CONFIGURED },
	{ "key_config_last", .stage = STAGE_CONFIG, .twist = other_package_done,
	  .in = LEAF(TDH_SYS_KEY_CONFIG) },
	{ "key_config_busy", .stage = STAGE_CONFIG, .twist = ket_locked,
	  .in = LEAF(TDH_SYS_KEY_CONFIG), .status = TDX_OPERAND_BUSY | OPERAND_KET },
	{ "key_config_locked_exclusive", .stage = STAGE_CONFIG, .twist = locked_exclusive,
	  .in = LEAF(TDH_SYS_KEY_CONFIG), .status = TDX_SYS_BUSY },
	{ "key_config_locked_shared", .stage = STAGE_CONFIG, .twist = locked_shared,
	  .in = LEAF(TDH_SYS_KEY_CONFIG) },
	{ "key_config_dirty_caches", .stage = STAGE_CONFIG, .twist = dirty_caches,
	  .in = LEAF(TDH_SYS_KEY_CONFIG), .rule = "no-wbinvd" },
	{ "key_config_no_entropy", .args = { "inject", "31:1:RND_NO_ENTROPY" },
	  .stage = STAGE_CONFIG, .in = LEAF(TDH_SYS_KEY_CONFIG), .status = TDX_RND_NO_ENTROPY },
	{ "key_config_generation_failed", .args = { "inject", "31:1:KEY_GENERATION_FAILED" },
	  .stage = STAGE_CONFIG, .in = LEAF(TDH_SYS_KEY_CONFIG),
	  .status = TDX_KEY_GENERATION_FAILED },

	/* SYS.TDMR.INIT */
	{ "tdmr_init_success", .stage = STAGE_READY, .in = TDMR_INIT(4 * GB) },
	{ "tdmr_init_pending", .in = TDMR_INIT(4 * GB), .status = TDX_SYS_NOT_READY },
	{ "tdmr_init_too_early", .stage = STAGE_CONFIG, .in = TDMR_INIT(4 * GB),
	  .status = TDX_SYS_NOT_READY },
	{ "tdmr_init_finished", .stage = STAGE_TDMRS, .in = TDMR_INIT(4 * GB),
	  .status = TDX_TDMR_ALREADY_INITIALIZED },
	{ "tdmr_init_inside", .stage = STAGE_READY, .in = TDMR_INIT(2 * GB),
	  .status = TDX_OPERAND_INVALID | OPERAND_RCX },
	{ "tdmr_init_outside", .stage = STAGE_READY, .in = TDMR_INIT(3 * GB),
	  .status = TDX_OPERAND_INVALID | OPERAND_RCX },
	{ "tdmr_init_misaligned", .stage = STAGE_READY, .in = TDMR_INIT(4 * GB + 1),
	  .status = TDX_OPERAND_INVALID | OPERAND_RCX },
	{ "tdmr_init_keyid", .stage = STAGE_READY,
	  .in = TDMR_INIT(4 * GB | 1ULL << HOST_HPA_BITS),
	  .status = TDX_OPERAND_INVALID | OPERAND_RCX },
	{ "tdmr_init_above_maxpa", .stage = STAGE_READY, .in = TDMR_INIT(4 * GB | 1ULL << 52),
	  .status = TDX_OPERAND_INVALID | OPERAND_RCX },
	{ "tdmr_init_busy", .stage = STAGE_READY, .twist = tdmr_locked, .in = TDMR_INIT(1 * GB),
	  .status = TDX_OPERAND_BUSY | OPERAND_RCX },
	{ "tdmr_init_other_busy", .stage = STAGE_READY, .twist = other_tdmr_locked,
	  .in = TDMR_INIT(1 * GB) },
	{ "tdmr_init_busy_before_finished", .stage = STAGE_TDMRS,
	  .twist = tdmr_finished_and_locked, .in = TDMR_INIT(0),
	  .status = TDX_OPERAND_BUSY | OPERAND_RCX },
	{ "tdmr_init_locked_exclusive", .stage = STAGE_READY, .twist = locked_exclusive,
	  .in = TDMR_INIT(4 * GB), .status = TDX_SYS_BUSY },
	{ "tdmr_init_locked_shared", .stage = STAGE_READY, .twist = locked_shared,
	  .in = TDMR_INIT(4 * GB) },

	/* SYS.DISABLE */
	{ "disable_pending", .in = LEAF(TDH_SYS_DISABLE) },
	{ "disable_half_way", .stage = STAGE_CONFIG, .in = LEAF(TDH_SYS_DISABLE) },
	{ "disable_ready", .stage = STAGE_TDMRS, .in = LEAF(TDH_SYS_DISABLE) },
	{ "disable_twice", .stage = STAGE_SHUTDOWN, .in = LEAF(TDH_SYS_DISABLE),
	  .status = TDX_SYS_SHUTDOWN },
};

static unsigned int sys_state(struct host *h)
{
	struct seam_stats st;

	seam_get_stats(h->seam, &st);
	return st.sys_state;
}

static void states_follow(void **state)
{
	static const struct {
		enum stage stage;
		enum sys_state sys;
	} steps[] = {
		{ STAGE_PENDING, SYS_PENDING },
		{ STAGE_INIT, SYS_SYSINIT_DONE },
		{ STAGE_LPS, SYS_SYSINIT_DONE },
		{ STAGE_CONFIG, SYS_SYSCONFIG_DONE },
		{ STAGE_READY, SYS_READY },
		{ STAGE_TDMRS, SYS_READY },
		{ STAGE_SHUTDOWN, SYS_SHUTDOWN },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
		struct host *h = host_new(NULL);

		host_start(h);
		host_goto(h, steps[i].stage);
		assert_int_equal(sys_state(h), steps[i].sys);
		assert_int_equal(h->nr_violations, 0);
		host_free(h);
	}
}

/* One package of two is not enough. */
static void ready_after_last_package(void **state)
{
	struct host *h = *state;

	host_start(h);
	host_goto(h, STAGE_CONFIG);
	assert_status(host_status(h, 3, (struct seam_regs)LEAF(TDH_SYS_KEY_CONFIG)), 0);
	assert_int_equal(sys_state(h), SYS_SYSCONFIG_DONE);
	assert_status(host_status(h, 2, (struct seam_regs)LEAF(TDH_SYS_KEY_CONFIG)),
		      TDX_KEY_CONFIGURED);
	assert_int_equal(sys_state(h), SYS_SYSCONFIG_DONE);
	assert_status(host_status(h, 1, (struct seam_regs)LEAF(TDH_SYS_KEY_CONFIG)), 0);
	assert_int_equal(sys_state(h), SYS_READY);
}

/* An offered package that another CPU of it configures meanwhile. */
static void package_map_is_used(void **state)
{
	const char *const args[] = { "package_map", "0:1:2:0", NULL };
	struct host *h = host_new(args);

	(void)state;
	host_start(h);
	host_goto(h, STAGE_CONFIG);
	assert_status(host_status(h, 0, (struct seam_regs)LEAF(TDH_SYS_KEY_CONFIG)), 0);
	assert_status(host_status(h, 3, (struct seam_regs)LEAF(TDH_SYS_KEY_CONFIG)),
		      TDX_KEY_CONFIGURED);
	assert_status(host_status(h, 1, (struct seam_regs)LEAF(TDH_SYS_KEY_CONFIG)), 0);
	assert_int_equal(sys_state(h), SYS_SYSCONFIG_DONE);
	assert_status(host_status(h, 2, (struct seam_regs)LEAF(TDH_SYS_KEY_CONFIG)), 0);
	assert_int_equal(sys_state(h), SYS_READY);
	host_free(h);
}

/* WBINVD before SYS.CONFIG does not count, and who cannot tell is not blamed. */
static void wbinvd_rule(void **state)
{
	struct host *h = *state;

	host_start(h);
	host_goto(h, STAGE_LPS);
	for (unsigned int cpu = 0; cpu < HOST_CPUS; cpu++)
		seam_wbinvd(h->seam, cpu);
	host_status(h, 0, (struct seam_regs){ .rax = TDH_SYS_CONFIG, .rcx = HOST_ARRAY,
					      .rdx = HOST_TDMRS, .r8 = HOST_HKID });
	seam_wbinvd(h->seam, 0);

	assert_status(host_status(h, 0, (struct seam_regs)LEAF(TDH_SYS_KEY_CONFIG)), 0);
	assert_int_equal(h->nr_violations, 1);
	assert_string_equal(h->violation_rule, "no-wbinvd");
	assert_string_equal(h->violation_text,
			    "TDH.SYS.KEY.CONFIG on CPU 0 before WBINVD on CPU 1: "
			    "its caches may hold lines of PAMT memory");
	assert_int_equal(h->violation_pa, VIOLATION_NO_PA);

	h->seam->machine.reports_wbinvd = false;
	assert_status(host_status(h, 2, (struct seam_regs)LEAF(TDH_SYS_KEY_CONFIG)), 0);
	assert_int_equal(h->nr_violations, 1);
}

static uint64_t tdmr_init(struct host *h, uint64_t base)
{
	struct seam_regs regs = TDMR_INIT(base);

	assert_int_equal(host_call(h, 0, &regs), SEAM_END_DONE);
	assert_status(regs.rax, TDX_SUCCESS);
	return regs.rdx;
}

static void tdmr_init_whole(void **state)
{
	struct host *h = *state;

	host_start(h);
	host_goto(h, STAGE_READY);
	assert_int_equal(tdmr_init(h, 4 * GB), 6 * GB);
	assert_int_equal(tdmr_init(h, 0), 1 * GB);
}

/* RDX stays behind until a whole 1G block is done. */
static void tdmr_init_steps(void **state)
{
	const char *const args[] = { "tdmr_init_step", "384M", NULL };
	struct host *h = host_new(args);
	static const uint64_t next[] = {
		4 * GB, 4 * GB, 5 * GB, 5 * GB, 5 * GB, 6 * GB,
	};

	(void)state;
	host_start(h);
	host_goto(h, STAGE_READY);
	for (size_t i = 0; i < ARRAY_SIZE(next); i++)
		assert_int_equal(tdmr_init(h, 4 * GB), next[i]);
	assert_status(host_status(h, 0, (struct seam_regs)TDMR_INIT(4 * GB)),
		      TDX_TDMR_ALREADY_INITIALIZED);
	host_free(h);
}

/* A failed call clears its output, as the module does. */
static void tdmr_init_error_clears_output(void **state)
{
	struct host *h = *state;
	struct seam_regs regs = TDMR_INIT(123);

	host_start(h);
	host_goto(h, STAGE_READY);
	regs.rdx = 77;
	host_call(h, 0, &regs);
	assert_int_equal(regs.rdx, 0);
}

/*
 * A refused SYS.DISABLE locks new TDH.SYS leaves out, others not, until it
 * succeeded.
 */
static void disable_locks_out(void **state)
{
	struct host *h = *state;
	struct seam_regs rdmd = { .rax = TDH_PHYMEM_PAGE_RDMD, .rcx = 4 * GB };

	host_start(h);
	host_goto(h, STAGE_TDMRS);
	lock_try_shared(&h->seam->sys_lock);

	assert_status(host_status(h, 1, (struct seam_regs)LEAF(TDH_SYS_DISABLE)), TDX_SYS_BUSY);
	assert_int_equal(sys_state(h), SYS_READY);
	assert_status(host_status(h, 2, (struct seam_regs)LEAF(TDH_SYS_RD)), TDX_SYS_BUSY);
	assert_status(host_status(h, 2, rdmd), TDX_SUCCESS);

	lock_release(&h->seam->sys_lock, LOCK_SHARED);
	assert_status(host_status(h, 2, (struct seam_regs)LEAF(TDH_SYS_RD)), TDX_SYS_BUSY);
	assert_status(host_status(h, 1, (struct seam_regs)LEAF(TDH_SYS_DISABLE)), TDX_SUCCESS);
	assert_status(host_status(h, 2, (struct seam_regs)LEAF(TDH_SYS_RD)), TDX_SYS_SHUTDOWN);
	assert_status(host_status(h, 2, rdmd), TDX_SYS_SHUTDOWN);
}

/* A machine without MSRs and CPUID gets a platform as the model wants it. */
static void bare_machine(void **state)
{
	struct host *h = *state;

	h->machine.rdmsr = NULL;
	h->machine.cpuid = NULL;
	h->machine.event = NULL;
	host_start(h);
	host_goto(h, STAGE_TDMRS);
	assert_int_equal(h->nr_events, 0);
	assert_int_equal(h->seam->platform.xfam, 0x602E7);
}

static void cmrs_join(void **state)
{
	struct host *h = *state;

	h->cfg.nr_cmrs = 4;
	h->cfg.cmr[0] = (struct seam_range){ 0, GB };
	h->cfg.cmr[1] = (struct seam_range){ GB, GB };
	h->cfg.cmr[2] = (struct seam_range){ 2 * GB, GB };
	h->cfg.cmr[3] = (struct seam_range){ 4 * GB, 2 * GB };
	host_start(h);
	host_goto(h, STAGE_CONFIG);
	assert_int_equal(h->seam->cmrs.nr, 2);
	assert_int_equal(h->seam->cmrs.range[0].size, 3 * GB);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(states_follow),
		host_test(ready_after_last_package),
		cmocka_unit_test(package_map_is_used),
		host_test(wbinvd_rule),
		host_test(tdmr_init_whole),
		cmocka_unit_test(tdmr_init_steps),
		host_test(tdmr_init_error_clears_output),
		host_test(disable_locks_out),
		host_test(bare_machine),
		host_test(cmrs_join),
	};
	int failed = run_rows("sys", rows, ARRAY_SIZE(rows));

	return failed + cmocka_run_group_tests_name("sys_state", tests, NULL, NULL);
}
