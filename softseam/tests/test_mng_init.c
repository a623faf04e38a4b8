// SPDX-License-Identifier: GPL-2.0-only
/* TDH.MNG.INIT: TD_PARAMS rule by rule, and what the TD then is. */
#include <string.h>

#include "field_id.h"
#include "td_twists.h"
#include "virtual_cpuid.h"

#define INIT()		{ .rax = TDH_MNG_INIT, .rcx = TDR, .rdx = TD_PARAMS }

#define PARAM(name, ...)	TWIST(name, struct td_params_page *p = host_params(h); __VA_ARGS__)

TWIST(params_misaligned, in->rdx += 512)
TWIST(params_private, in->rdx |= TD_KEYID(HOST_HKID))
TWIST(params_above_maxpa, in->rdx |= TD_KEYID(64))
TWIST(params_not_ram, in->rdx = 3 * GB)
TWIST(params_shared_keyid, in->rdx |= TD_KEYID(1))
TWIST(no_memory, host_fail_alloc(1))
TWIST(no_memory_for_root, host_fail_alloc(2))

PARAM(attributes_unknown, p->attributes = 1 << 1)
PARAM(attributes_debug, p->attributes = TD_ATTR_DEBUG)
PARAM(attributes_perfmon, p->attributes = TD_ATTR_PERFMON)
PARAM(attributes_ve_disable, p->attributes = TD_ATTR_SEPT_VE_DISABLE)
PARAM(migratable, p->attributes = TD_ATTR_MIGRATABLE)
PARAM(migratable_debug, p->attributes = TD_ATTR_MIGRATABLE | TD_ATTR_DEBUG)
PARAM(migratable_perfmon, p->attributes = TD_ATTR_MIGRATABLE | TD_ATTR_PERFMON)

PARAM(xfam_zero, p->xfam = 0)
PARAM(xfam_no_sse, p->xfam = 1)
PARAM(xfam_not_allowed, p->xfam = 3 | 1 << 10)
PARAM(xfam_not_there, p->xfam = 3 | 1 << 8)
PARAM(xfam_avx, p->xfam = 7)
PARAM(xfam_avx512, p->xfam = 0xE7)
PARAM(xfam_avx512_no_avx, p->xfam = 0xE3)
PARAM(xfam_avx512_two, p->xfam = 0x67)
PARAM(xfam_cet, p->xfam = 3 | 3 << 11)
PARAM(xfam_cet_one, p->xfam = 3 | 1 << 11)
PARAM(xfam_amx, p->xfam = 3 | 3 << 17)
PARAM(xfam_amx_one, p->xfam = 3 | 1 << 18)

PARAM(vcpus_none, p->max_vcpus = 0)
PARAM(vcpus_most, p->max_vcpus = TD_MAX_VCPUS)
PARAM(vcpus_too_many, p->max_vcpus = TD_MAX_VCPUS + 1)
PARAM(l2_too_many, p->num_l2_vms = 4)
PARAM(l2_needs_pages, p->num_l2_vms = 1)
PARAM(l2_needs_pages_3, p->num_l2_vms = 3)
PARAM(reserved_20, p->reserved_20[0] = 1)
PARAM(reserved_23, p->reserved_20[3] = 1)

PARAM(flags_none, p->config_flags = 0)
PARAM(flags_unknown, p->config_flags |= 1 << 1)
PARAM(flags_high, p->config_flags |= 1ULL << 63)
PARAM(gpaw_needs_5_levels, p->config_flags |= TD_CONFIG_GPAW_52)
PARAM(gpaw_52, p->config_flags |= TD_CONFIG_GPAW_52; p->eptp_controls = 0x26)
PARAM(eptp_not_wb, p->eptp_controls = 0x18)
PARAM(eptp_3_levels, p->eptp_controls = 0x16)
PARAM(eptp_5_levels, p->eptp_controls = 0x26)
PARAM(eptp_6_levels, p->eptp_controls = 0x2E)
PARAM(eptp_accessed_dirty, p->eptp_controls |= 1 << 6)
PARAM(eptp_shadow_stack, p->eptp_controls |= 1 << 7)
PARAM(eptp_base, p->eptp_controls |= 1 << 12)
PARAM(tsc_slow, p->tsc_frequency = 3)
PARAM(tsc_slowest, p->tsc_frequency = 4)
PARAM(tsc_fastest, p->tsc_frequency = 400)
PARAM(tsc_fast, p->tsc_frequency = 401)
TWIST(tsc_adjusted, h->msr = 0x3B; h->msr_flip = 1)
PARAM(reserved_42, p->reserved_42[0] = 1)
PARAM(reserved_79, p->reserved_42[37] = 1)
PARAM(msr_config_unknown, p->msr_config_ctls = 2)
PARAM(reserved_232, p->reserved_232[0] = 1)
PARAM(reserved_255, p->reserved_232[23] = 1)

PARAM(cpuid_1_eax_native, p->cpuid[0][EAX] = 0x000A06D1)
PARAM(cpuid_1_eax_other, p->cpuid[0][EAX] = 0x000806F8)
PARAM(cpuid_1_eax_bit, p->cpuid[0][EAX] = 1U << 31)
PARAM(cpuid_1_ebx, p->cpuid[0][EBX] = 1)
PARAM(cpuid_1_ecx_allowed, p->cpuid[0][ECX] = 1 << 3)
PARAM(cpuid_1_ecx, p->cpuid[0][ECX] = 1 << 5)
PARAM(cpuid_4_0, p->cpuid[1][EAX] = 1U << 10)
PARAM(cpuid_4_3, p->cpuid[4][EDX] = 8)
PARAM(cpuid_7_0_eax, p->cpuid[5][EAX] = 1)
PARAM(cpuid_7_0_not_native, p->cpuid[5][ECX] = 1 << 5)
PARAM(cpuid_7_1, p->cpuid[6][EBX] = 1)
PARAM(cpuid_A, p->cpuid[7][EAX] = 1)
PARAM(cpuid_1C, p->cpuid[8][EAX] = 0x100)
PARAM(cpuid_address, p->cpuid[9][EAX] = 0x300000)
PARAM(cpuid_7_2, p->cpuid[10][EDX] = 1)
PARAM(cpuid_23, p->cpuid[11][EAX] = 0x10)
PARAM(cpuid_unused_slot, p->cpuid[47][EDX] = ~0U)

PARAM(arch_cap_not_configured, p->arch_cap = 1 << 4)
PARAM(arch_cap, p->msr_config_ctls = 1; p->arch_cap = 0x1180010)
PARAM(arch_cap_fixed, p->msr_config_ctls = 1; p->arch_cap = 1)
PARAM(arch_cap_unknown, p->msr_config_ctls = 1; p->arch_cap = 1ULL << 40)

/* Two rules broken at once: the first in order is told. */
TWIST(op_and_params, td_op_init(h, in); in->rdx = 1)
TWIST(params_and_attributes, attributes_unknown(h, in); in->rdx |= 512)
TWIST(attributes_and_xfam, attributes_unknown(h, in); xfam_zero(h, in))
TWIST(xfam_and_vcpus, xfam_zero(h, in); vcpus_none(h, in))
TWIST(vcpus_and_l2, vcpus_none(h, in); l2_too_many(h, in))
TWIST(l2_and_reserved, l2_needs_pages(h, in); reserved_20(h, in))
TWIST(reserved_and_flags, reserved_20(h, in); flags_unknown(h, in))
TWIST(flags_and_eptp, flags_unknown(h, in); eptp_not_wb(h, in))
TWIST(eptp_and_tsc, eptp_not_wb(h, in); tsc_slow(h, in))
TWIST(tsc_and_adjust, tsc_slow(h, in); tsc_adjusted(h, in))
TWIST(adjust_and_reserved, tsc_adjusted(h, in); reserved_42(h, in))
TWIST(reserved_and_cpuid, reserved_232(h, in); cpuid_1_ecx(h, in))
TWIST(cpuid_1_and_7, cpuid_1_ecx(h, in); cpuid_7_1(h, in))
TWIST(cpuid_and_arch_cap, cpuid_7_2(h, in); arch_cap_not_configured(h, in))

#define GOOD(twist_)	{ #twist_, .stage = TD_TDCS, .twist = twist_, .in = INIT() }
#define ROW(twist_, status_)	ROW_AT("", twist_, TD_TDCS, INIT, status_)
#define BAD(twist_, operand)	ROW(twist_, TDX_OPERAND_INVALID | OPERAND_ ## operand)
#define BAD_CPUID(twist_, leaf, subleaf)					\
	{ #twist_, .stage = TD_TDCS, .twist = twist_, .in = INIT(),		\
	  .status = TDX_OPERAND_INVALID | OPERAND_CPUID,			\
	  .has_out = true, .out = { (leaf) | (uint64_t)(subleaf) << 32, TD_PARAMS } }

static const struct td_row rows[] = {
	{ "init", .stage = TD_TDCS, .in = INIT() },
	CONTROL_EXCLUSIVE_ROWS(rcx, OPERAND_RCX, TD_TDCS, INIT),
	TD_STATE_ROWS(TD_TDCS, INIT),
	OP_STATE_ROW(init, TD_TDCS, INIT),
	OP_STATE_ROW(runnable, TD_TDCS, INIT),
	{ "twice", .stage = TD_INIT, .in = INIT(), .status = TDX_OP_STATE_INCORRECT },
	BAD(params_misaligned, RDX), BAD(params_private, RDX), BAD(params_above_maxpa, RDX),
	GOOD(params_shared_keyid),
	{ "params_not_ram", .stage = TD_TDCS, .twist = params_not_ram, .in = INIT(),
	  .status = TDX_OPERAND_INVALID | OPERAND_RDX, .rule = "not-ram" },
	ROW(no_memory, TDX_OPERAND_BUSY | OPERAND_RCX),
	ROW(no_memory_for_root, TDX_OPERAND_BUSY | OPERAND_RCX),

	BAD(attributes_unknown, ATTRIBUTES), BAD(migratable_debug, ATTRIBUTES),
	BAD(migratable_perfmon, ATTRIBUTES),
	GOOD(attributes_debug), GOOD(attributes_perfmon), GOOD(attributes_ve_disable),
	GOOD(migratable),
	BAD(xfam_zero, XFAM), BAD(xfam_no_sse, XFAM), BAD(xfam_not_allowed, XFAM),
	BAD(xfam_not_there, XFAM), BAD(xfam_avx512_no_avx, XFAM), BAD(xfam_avx512_two, XFAM),
	BAD(xfam_cet_one, XFAM), BAD(xfam_amx_one, XFAM),
	GOOD(xfam_avx), GOOD(xfam_avx512), GOOD(xfam_cet), GOOD(xfam_amx),
	BAD(vcpus_none, MAX_VCPUS), BAD(vcpus_too_many, MAX_VCPUS), GOOD(vcpus_most),
	BAD(l2_too_many, NUM_L2),
	ROW(l2_needs_pages, TDX_TDCS_NOT_ALLOCATED),
	ROW(l2_needs_pages_3, TDX_TDCS_NOT_ALLOCATED),
	BAD(reserved_20, RDX), BAD(reserved_23, RDX),
	GOOD(flags_none), BAD(flags_unknown, CONFIG_FLAGS), BAD(flags_high, CONFIG_FLAGS),
	{ "no_rbp_mod_not_offered", .args = { "features0", "0x100000" }, .stage = TD_TDCS,
	  .in = INIT(), .status = TDX_OPERAND_INVALID | OPERAND_CONFIG_FLAGS },
	BAD(eptp_not_wb, EPTP), BAD(eptp_3_levels, EPTP), BAD(eptp_5_levels, EPTP),
	BAD(eptp_6_levels, EPTP), BAD(eptp_accessed_dirty, EPTP), BAD(eptp_shadow_stack, EPTP),
	BAD(eptp_base, EPTP), BAD(gpaw_needs_5_levels, EPTP),
	{ "eptp_5_levels_maxpa", .args = { "ept_levels", "5" }, .stage = TD_TDCS,
	  .twist = eptp_5_levels, .in = INIT(),
	  .status = TDX_OPERAND_INVALID | OPERAND_EPTP },
	{ "eptp_5_levels_there", .args = { "ept_levels", "5", "maxpa", "49" },
	  .stage = TD_TDCS, .twist = eptp_5_levels, .in = INIT() },
	{ "gpaw_52", .args = { "ept_levels", "5", "maxpa", "49" }, .stage = TD_TDCS,
	  .twist = gpaw_52, .in = INIT() },
	BAD(tsc_slow, TSC_FREQ), BAD(tsc_fast, TSC_FREQ), GOOD(tsc_slowest), GOOD(tsc_fastest),
	ROW(tsc_adjusted, TDX_INCONSISTENT_MSR | 0x3B),
	BAD(reserved_42, RDX), BAD(reserved_79, RDX), BAD(msr_config_unknown, RDX),
	BAD(reserved_232, RDX), BAD(reserved_255, RDX),

	GOOD(cpuid_1_ecx_allowed), GOOD(cpuid_7_0_not_native), GOOD(cpuid_unused_slot),
	BAD_CPUID(cpuid_1_eax_other, 1, ~0U), BAD_CPUID(cpuid_1_eax_bit, 1, ~0U),
	BAD_CPUID(cpuid_1_ebx, 1, ~0U), BAD_CPUID(cpuid_1_ecx, 1, ~0U),
	BAD_CPUID(cpuid_4_0, 4, 0), BAD_CPUID(cpuid_4_3, 4, 3),
	BAD_CPUID(cpuid_7_0_eax, 7, 0), BAD_CPUID(cpuid_7_1, 7, 1), BAD_CPUID(cpuid_A, 0xA, ~0U),
	BAD_CPUID(cpuid_1C, 0x1C, ~0U), BAD_CPUID(cpuid_address, 0x80000008, ~0U),
	BAD_CPUID(cpuid_7_2, 7, 2), BAD_CPUID(cpuid_23, 0x23, 0),
	BAD(arch_cap_not_configured, ARCH_CAP), BAD(arch_cap_unknown, ARCH_CAP),
	BAD(arch_cap_fixed, ARCH_CAP), GOOD(arch_cap),

	ROW(op_and_params, TDX_OP_STATE_INCORRECT),
	BAD(params_and_attributes, RDX), BAD(attributes_and_xfam, ATTRIBUTES),
	BAD(xfam_and_vcpus, XFAM), BAD(vcpus_and_l2, MAX_VCPUS),
	ROW(l2_and_reserved, TDX_TDCS_NOT_ALLOCATED), BAD(reserved_and_flags, RDX),
	BAD(flags_and_eptp, CONFIG_FLAGS), BAD(eptp_and_tsc, EPTP), BAD(tsc_and_adjust, TSC_FREQ),
	ROW(adjust_and_reserved, TDX_INCONSISTENT_MSR | 0x3B),
	BAD(reserved_and_cpuid, RDX),
	BAD_CPUID(cpuid_1_and_7, 1, ~0U), BAD_CPUID(cpuid_and_arch_cap, 7, 2),
};

/* The sample CPU, whose signature is known. */
static void native_signature(void **state)
{
	struct host *h = *state;

	h->machine.cpuid = NULL;
	host_start(h);
	td_goto(h, TD_TDCS);
	cpuid_1_eax_native(h, NULL);
	td_must(h, 0, (struct seam_regs)INIT());
}

static uint64_t rd(struct host *h, uint64_t id)
{
	struct seam_regs regs = { .rax = TDH_MNG_RD, .rcx = TDR, .rdx = id };

	host_call_checked(h, 0, &regs);
	assert_status(regs.rax, TDX_SUCCESS);
	assert_int_equal(regs.rdx, id);
	return regs.r8;
}

static void td_is_as_asked(void **state)
{
	struct host *h = *state;
	struct td *td;

	host_start(h);
	td_goto(h, TD_TDCS);
	host_params(h)->attributes = TD_ATTR_SEPT_VE_DISABLE;
	memset(host_params(h)->mrconfigid, 1, SHA384_BYTES);
	memset(host_params(h)->mrowner, 2, SHA384_BYTES);
	memset(host_params(h)->mrownerconfig, 3, SHA384_BYTES);
	td_must(h, 0, (struct seam_regs)INIT());

	td = host_td(h);
	assert_int_equal(td->op_state, OP_INIT);
	assert_int_equal(td->epoch.epoch, 1);
	assert_int_equal(td->params.attributes, TD_ATTR_SEPT_VE_DISABLE);
	assert_int_equal(td->params.xfam, 3);
	assert_int_equal(td->params.max_vcpus, 3);
	assert_int_equal(td->params.gpaw, 48);
	assert_int_equal(td->sept.root_level, 3);
	assert_int_equal(td->sept.gpa_bits, 47);
	assert_int_equal(td->params.mrconfigid[47], 1);
	assert_int_equal(td->params.mrowner[47], 2);
	assert_int_equal(td->params.mrownerconfig[47], 3);
}

/* 40 * 25 MHz on a 1 GHz clock; the time of MNG.INIT is 0 to the TD. */
static void tsc_starts_at_zero(void **state)
{
	struct host *h = *state;

	host_start(h);
	td_goto(h, TD_TDCS);
	h->time = 5000000;
	td_must(h, 0, (struct seam_regs)INIT());
	assert_int_equal(rd(h, 0x111000030000000B), 1ULL << 48);
	assert_int_equal(rd(h, 0x111000030000000A), 0 - 5002000ULL);
	/* As Linux names them. */
	assert_int_equal(rd(h, 0x110000000000000B), 1ULL << 48);
}

static void tsc_is_scaled(void **state)
{
	static const char *const args[] = { "tsc_khz", "2500000", NULL };
	struct host *h = host_new(args);

	(void)state;
	host_start(h);
	td_goto(h, TD_TDCS);
	host_params(h)->tsc_frequency = 50;
	h->time = 1000000;
	td_must(h, 0, (struct seam_regs)INIT());
	assert_int_equal(rd(h, 0x111000030000000B), 1ULL << 47);
	assert_int_equal(rd(h, 0x111000030000000A), 0 - 1002000ULL * 5 / 4);
	host_free(h);
}

static uint64_t rdtsc(void *opaque, unsigned int cpu)
{
	(void)opaque;
	return 1000 + cpu;
}

/* A machine with a TSC of its own. */
static void tsc_of_machine(void **state)
{
	struct host *h = *state;

	h->machine.rdtsc = rdtsc;
	host_start(h);
	td_goto(h, TD_TDCS);
	td_must(h, 2, (struct seam_regs)INIT());
	assert_int_equal(rd(h, 0x111000030000000A), 0 - 1002ULL);
}

/* A field id as Linux makes it. */
static uint64_t cpuid_id(uint32_t leaf, int subleaf, unsigned int element)
{
	uint64_t id = 0x9410000300000000 | (leaf >> 31) << 16 | (leaf & 0x7F) << 9 | element;

	return subleaf < 0 ? id | 0x1FE : id | (uint64_t)subleaf << 1;
}

static void cpuid_values(void **state)
{
	struct host *h = *state;

	h->machine.cpuid = NULL;
	host_start(h);
	td_goto(h, TD_TDCS);
	host_params(h)->xfam = 7;
	host_params(h)->cpuid[0][EBX] = 0x40000;
	host_params(h)->cpuid[5][EBX] = 1 << 3;
	td_must(h, 0, (struct seam_regs)INIT());

	assert_int_equal(rd(h, cpuid_id(0, -1, 0)), 0x756E654700000023);
	/* Free to choose: logical processors.  APIC id and VMX are not the TD's. */
	assert_int_equal(rd(h, cpuid_id(1, -1, 0)), 0x00040800000A06D1);
	assert_int_equal(rd(h, cpuid_id(1, -1, 1)) & 0xFFFFFFFF, 0xC6FA3217);
	/* Allowed, asked for or not; AVX2 by XFAM, AVX-512 not. */
	assert_int_equal(rd(h, cpuid_id(7, 0, 0)) >> 32 & 0x118, 0x8);
	assert_int_equal(rd(h, cpuid_id(7, 0, 0)) >> 32 & 0x10020, 0x20);
	/* XSAVE: components, and the size of the largest. */
	assert_int_equal(rd(h, cpuid_id(0xD, 0, 0)), 7);
	assert_int_equal(rd(h, cpuid_id(0xD, 0, 1)), 0x240 + 0x100);
	assert_int_equal(rd(h, cpuid_id(0xD, 2, 0)), 0x0000024000000100);
	assert_int_equal(rd(h, cpuid_id(0xD, 9, 0)), 0);
	/* TSC in units of the 25 MHz crystal. */
	assert_int_equal(rd(h, cpuid_id(0x15, -1, 0)), 0x0000002800000001);
	assert_int_equal(rd(h, cpuid_id(0x15, -1, 1)), 25000000);
	assert_int_equal(rd(h, cpuid_id(0x21, 0, 0)), 0x65746E4900000000);
	assert_int_equal(rd(h, cpuid_id(0x21, 0, 1)), 0x5844546C20202020);
	assert_int_equal(rd(h, cpuid_id(0x80000000, -1, 0)), 0x80000008);
	assert_int_equal(rd(h, cpuid_id(0x80000008, -1, 0)), 0x0000000000003034);
}

static void cpuid_by_attributes(void **state)
{
	const struct virtual_cpuid *v;
	struct host *h = *state;

	h->machine.cpuid = NULL;
	host_start(h);
	td_goto(h, TD_TDCS);
	host_params(h)->attributes = TD_ATTR_PERFMON;
	host_params(h)->xfam = 0x602E7;
	host_params(h)->cpuid[0][ECX] = 1 << 3;
	td_must(h, 0, (struct seam_regs)INIT());

	v = host_td(h)->cpuid;
	assert_int_equal(virtual_cpuid_find(v, 1, 5)[ECX] & 0x8008, 0x8008);
	assert_int_equal(virtual_cpuid_find(v, 0xD, 0)[EAX], 0x602E7);
	assert_int_equal(virtual_cpuid_find(v, 0xD, 0)[ECX], 0xB00 + 0x2000);
	assert_null(virtual_cpuid_find(v, 0xD, 63));
	assert_null(virtual_cpuid_find(v, 0x40000000, 0));
	assert_null(virtual_cpuid_find_exact(v, 1, 0));
}

/* Version 1 lists all fields: what is next leads through all of them. */
static void fields_in_order(void **state)
{
	struct host *h = *state;
	struct seam_regs regs = { .rax = TDH_MNG_RD | 1 << 16, .rcx = TDR, .rdx = FIELD_NULL };
	unsigned int nr = 0;

	host_start(h);
	td_goto(h, TD_INIT);
	host_call(h, 0, &regs);
	assert_status(regs.rax, TDX_METADATA_FIRST_FIELD_ID_IN_CONTEXT);
	while (regs.rdx != FIELD_NULL) {
		regs = (struct seam_regs){ .rax = TDH_MNG_RD | 1 << 16, .rcx = TDR,
					   .rdx = regs.rdx };
		host_call_checked(h, 0, &regs);
		assert_status(regs.rax, TDX_SUCCESS);
		nr++;
	}
	assert_int_equal(nr, 2 + 2 * NR_CPUID_VISIBLE);

	regs = (struct seam_regs){ .rax = TDH_MNG_RD | 1 << 16, .rcx = TDR, .rdx = 1 };
	host_call(h, 0, &regs);
	assert_status(regs.rax, TDX_METADATA_FIELD_ID_INCORRECT);
	assert_int_equal(regs.rdx, FIELD_NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		host_test(native_signature),
		host_test(td_is_as_asked),
		host_test(tsc_starts_at_zero),
		cmocka_unit_test(tsc_is_scaled),
		host_test(tsc_of_machine),
		host_test(cpuid_values),
		host_test(cpuid_by_attributes),
		host_test(fields_in_order),
	};
	int failed = run_td_rows("mng_init", rows, ARRAY_SIZE(rows));

	return failed + cmocka_run_group_tests_name("mng_init_state", tests, NULL, NULL);
}
