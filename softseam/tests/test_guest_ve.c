// SPDX-License-Identifier: GPL-2.0-only
/* Instructions of a guest that are emulated, #GP, #UD or #VE. */
#include <string.h>

#include "guest_host.h"
#include "virtual_cpuid.h"

enum outcome { SKIPPED, UD, GP, VE };

/* An instruction that stops the guest, and what becomes of it. */
struct insn_row {
	const char *name;
	const char *code;
	unsigned int len;
	enum guest_stop why;
	void (*twist)(struct guest *g);
	enum outcome outcome;
	uint64_t reason, qualification;
};

#define GUEST_TWIST(name, ...)				\
	static void name(struct guest *g)		\
	{						\
		(void)g;				\
		__VA_ARGS__;				\
	}

#define IO(bytes, dir, str, port_)						\
	g->exit.io_bytes = bytes; g->exit.io_in = dir; g->exit.io_string = str;	\
	g->exit.port = port_

GUEST_TWIST(in_byte, IO(1, true, false, 0x3F8))
GUEST_TWIST(in_immediate, IO(1, true, false, 0x60))
GUEST_TWIST(out_long, IO(4, false, false, 0xCF8))
GUEST_TWIST(rep_outs, IO(2, false, true, 0x1F0); g->exit.io_rep = true)

GUEST_TWIST(leaf_hypervisor, g->r->gpr.rax = 0x40000000)
GUEST_TWIST(leaf_faulting, g->r->gpr.rax = 0x80000002)
GUEST_TWIST(leaf_unknown, g->r->gpr.rax = 0x8)
GUEST_TWIST(leaf_topology, g->r->gpr.rax = 0xB)
GUEST_TWIST(leaf_features, g->r->gpr.rax = 1)

#define MSR(n, v)	g->r->gpr.rcx = n; g->r->gpr.rax = (uint32_t)(v); \
			g->r->gpr.rdx = (uint64_t)(v) >> 32

GUEST_TWIST(msr_unknown, MSR(0x123, 0))
GUEST_TWIST(msr_kvm, MSR(0x4B564D00, 0))
GUEST_TWIST(msr_mtrr, MSR(0x2FF, 0))
GUEST_TWIST(msr_deadline, MSR(0x6E0, 1))
GUEST_TWIST(msr_tsc, MSR(0x10, 5))
GUEST_TWIST(msr_pmc, MSR(0xC1, 0))
GUEST_TWIST(msr_evtsel, MSR(0x186, 0))
GUEST_TWIST(msr_perf_caps, MSR(0x345, 0))
GUEST_TWIST(msr_spec_ctrl, MSR(0x48, 1))
GUEST_TWIST(msr_spec_ctrl_bad, MSR(0x48, 0x100))
GUEST_TWIST(msr_pred_cmd, MSR(0x49, 1))
GUEST_TWIST(msr_pred_cmd_bad, MSR(0x49, 2))
GUEST_TWIST(msr_flush_cmd, MSR(0x10B, 1))
GUEST_TWIST(msr_arch_caps, MSR(0x10A, 0))
GUEST_TWIST(msr_misc_enable, MSR(0x1A0, 0))
GUEST_TWIST(msr_debugctl, MSR(0x1D9, 1))
GUEST_TWIST(msr_debugctl_bad, MSR(0x1D9, 1ULL << 40))
GUEST_TWIST(msr_pat, MSR(0x277, 0x0606060606060606))
GUEST_TWIST(msr_pat_bad, MSR(0x277, 0x0206060606060606))
GUEST_TWIST(msr_xss, MSR(0xDA0, 0))
GUEST_TWIST(msr_xss_bad, MSR(0xDA0, 0x100))
GUEST_TWIST(efer_same, MSR(0xC0000080, g->r->efer))
GUEST_TWIST(efer_no_sce, MSR(0xC0000080, g->r->efer & ~1ULL))
GUEST_TWIST(efer_no_nx, MSR(0xC0000080, g->r->efer & ~(1ULL << 11)))
GUEST_TWIST(apic_id, MSR(0x802, 0))
GUEST_TWIST(apic_tpr, MSR(0x808, 0x20))
GUEST_TWIST(apic_tpr_bad, MSR(0x808, 0x100))
GUEST_TWIST(apic_ppr, MSR(0x80A, 0))
GUEST_TWIST(apic_eoi, MSR(0x80B, 0))
GUEST_TWIST(apic_eoi_bad, MSR(0x80B, 1))
GUEST_TWIST(apic_isr, MSR(0x810, 0))
GUEST_TWIST(apic_tmr, MSR(0x81F, 0))
GUEST_TWIST(apic_irr, MSR(0x827, 0))
GUEST_TWIST(apic_esr, MSR(0x828, 0))
GUEST_TWIST(apic_icr, MSR(0x830, 0x40))
GUEST_TWIST(apic_timer, MSR(0x832, 0x40))
GUEST_TWIST(apic_self_ipi, MSR(0x83F, 0x40))
GUEST_TWIST(apic_self_ipi_low, MSR(0x83F, 0xF))
GUEST_TWIST(apic_self_ipi_high, MSR(0x83F, 0x100))

#define CR(value)	g->r->gpr.rax = value
GUEST_TWIST(cr0_same, CR(g->r->cr0))
GUEST_TWIST(cr0_no_wp, CR(g->r->cr0 & ~CR0_WP))
GUEST_TWIST(cr0_no_pe, CR(CR0_NE))
GUEST_TWIST(cr0_pg_no_pe, CR(CR0_NE | CR0_PG))
GUEST_TWIST(cr0_no_ne, CR(g->r->cr0 & ~CR0_NE))
GUEST_TWIST(cr0_cd, CR(g->r->cr0 | CR0_CD))
GUEST_TWIST(cr0_cd_nw, CR(g->r->cr0 | CR0_CD | CR0_NW))
GUEST_TWIST(cr0_nw, CR(g->r->cr0 | CR0_NW))
GUEST_TWIST(cr0_high, CR(g->r->cr0 | 1ULL << 32))
GUEST_TWIST(cr0_no_pg, CR(g->r->cr0 & ~CR0_PG))
GUEST_TWIST(cr4_pge, g->exit.cr = 4; CR(g->r->cr4 | 1ULL << 7))
GUEST_TWIST(cr4_no_mce, g->exit.cr = 4; CR(g->r->cr4 & ~CR4_MCE))
GUEST_TWIST(cr4_vmxe, g->exit.cr = 4; CR(g->r->cr4 | CR4_VMX))
GUEST_TWIST(cr4_smxe, g->exit.cr = 4; CR(g->r->cr4 | CR4_SMXE))
GUEST_TWIST(cr4_no_pae, g->exit.cr = 4; CR(g->r->cr4 & ~CR4_PAE))
GUEST_TWIST(cr4_unknown, g->exit.cr = 4; CR(g->r->cr4 | 1ULL << 15))
GUEST_TWIST(cr4_pke, g->exit.cr = 4; CR(g->r->cr4 | 1ULL << 22))
GUEST_TWIST(cr4_pks, g->exit.cr = 4; CR(g->r->cr4 | 1ULL << 24))
GUEST_TWIST(cr8_ok, g->exit.cr = 8; CR(7))
GUEST_TWIST(cr8_bad, g->exit.cr = 8; CR(16))
GUEST_TWIST(user_mode, g->r->seg[SEG_SS].ar |= 3 << 5)
GUEST_TWIST(not_64bit, g->r->seg[SEG_CS].ar = 0xC09B)

#define R(name_, code_, len_, why_, outcome_, ...)				\
	{ .name = name_, .code = code_, .len = len_, .why = GUEST_STOP_ ## why_,	\
	  .outcome = outcome_, __VA_ARGS__ }
#define RDMSR(twist_, outcome_, ...)						\
	R("rdmsr_" #twist_, "\x0f\x32", 2, MSR, outcome_, .twist = twist_, __VA_ARGS__)
#define WRMSR(twist_, outcome_, ...)						\
	R("wrmsr_" #twist_, "\x0f\x30", 2, MSR, outcome_, .twist = twist_, __VA_ARGS__)
#define RDMSR_VE(twist)	RDMSR(twist, VE, .reason = VMX_MSR_READ)
#define WRMSR_VE(twist)	WRMSR(twist, VE, .reason = VMX_MSR_WRITE)
/* MOV CR0, RAX and so on. */
#define CR0_ROW(twist_, outcome_, ...)						\
	R(#twist_, "\x0f\x22\xc0", 3, CR, outcome_, .twist = twist_, __VA_ARGS__)
#define CR4_ROW(twist_, outcome_, ...)						\
	R(#twist_, "\x0f\x22\xe0", 3, CR, outcome_, .twist = twist_, __VA_ARGS__)
#define CR8_ROW(twist_, outcome_)						\
	R(#twist_, "\x44\x0f\x22\xc0", 4, CR, outcome_, .twist = twist_)
#define CR_VE		VE, .reason = VMX_CR_ACCESS

static const struct insn_row rows[] = {
	R("hlt", "\xf4", 1, HLT, VE, .reason = VMX_HLT),
	R("hlt_prefixed", "\x66\xf4", 2, HLT, VE, .reason = VMX_HLT),
	R("wbinvd", "\x0f\x09", 2, CACHE, VE, .reason = VMX_WBINVD),
	R("wbnoinvd", "\xf3\x0f\x09", 3, CACHE, VE, .reason = VMX_WBINVD),
	R("invd", "\x0f\x08", 2, CACHE, VE, .reason = VMX_INVD),
	R("vmcall", "\x0f\x01\xc1", 3, UNDEFINED, VE, .reason = VMX_VMCALL),
	R("monitor", "\x0f\x01\xc8", 3, MONITOR, UD),
	R("mwait", "\x0f\x01\xc9", 3, MONITOR, UD),
	R("rdpmc", "\x0f\x33", 2, RDPMC, GP),
	R("seamcall", "\x66\x0f\x01\xcf", 4, UNDEFINED, UD),
	R("encls", "\x0f\x01\xcf", 3, UNDEFINED, UD),
	R("vmxon", "\xf3\x0f\xc7\x30", 4, UNDEFINED, UD),
	R("getsec", "\x0f\x37", 2, UNDEFINED, UD),
	R("vmmcall", "\x0f\x01\xd9", 3, UNDEFINED, UD),
	R("ud2", "\x0f\x0b", 2, UNDEFINED, UD),
	R("in_byte", "\xec", 1, IO, VE, .twist = in_byte, .reason = VMX_IO,
	  .qualification = 0x3F8ULL << 16 | 1 << 3),
	R("in_immediate", "\xe4\x60", 2, IO, VE, .twist = in_immediate, .reason = VMX_IO,
	  .qualification = 0x60ULL << 16 | 1 << 6 | 1 << 3),
	R("out_long", "\xef", 1, IO, VE, .twist = out_long, .reason = VMX_IO,
	  .qualification = 0xCF8ULL << 16 | 3),
	R("rep_outs", "\xf3\x66\x6f", 3, IO, VE, .twist = rep_outs, .reason = VMX_IO,
	  .qualification = 0x1F0ULL << 16 | 1 << 5 | 1 << 4 | 1),

	R("cpuid_hypervisor", "\x0f\xa2", 2, CPUID, VE, .twist = leaf_hypervisor,
	  .reason = VMX_CPUID),
	R("cpuid_unknown", "\x0f\xa2", 2, CPUID, VE, .twist = leaf_unknown, .reason = VMX_CPUID),
	R("cpuid_faulting", "\x0f\xa2", 2, CPUID, VE, .twist = leaf_faulting,
	  .reason = VMX_CPUID),
	R("cpuid_topology", "\x0f\xa2", 2, CPUID, VE, .twist = leaf_topology,
	  .reason = VMX_CPUID),
	R("cpuid_features", "\x0f\xa2", 2, CPUID, SKIPPED, .twist = leaf_features),
	R("cpuid_rex", "\x48\x0f\xa2", 3, CPUID, SKIPPED, .twist = leaf_features),

	RDMSR_VE(msr_unknown), WRMSR_VE(msr_unknown),
	RDMSR_VE(msr_kvm), WRMSR_VE(msr_kvm),
	RDMSR_VE(msr_mtrr), WRMSR_VE(msr_mtrr),
	RDMSR_VE(msr_deadline), WRMSR_VE(msr_deadline),
	RDMSR(msr_tsc, SKIPPED), WRMSR_VE(msr_tsc),
	RDMSR(msr_pmc, GP), WRMSR(msr_pmc, GP),
	RDMSR(msr_evtsel, GP), WRMSR(msr_evtsel, GP),
	RDMSR(msr_perf_caps, SKIPPED), WRMSR(msr_perf_caps, GP),
	RDMSR(msr_spec_ctrl, SKIPPED), WRMSR(msr_spec_ctrl, SKIPPED),
	WRMSR(msr_spec_ctrl_bad, GP),
	RDMSR(msr_pred_cmd, GP), WRMSR(msr_pred_cmd, SKIPPED), WRMSR(msr_pred_cmd_bad, GP),
	RDMSR(msr_flush_cmd, GP), WRMSR(msr_flush_cmd, SKIPPED),
	RDMSR(msr_arch_caps, SKIPPED), WRMSR(msr_arch_caps, GP),
	RDMSR(msr_misc_enable, SKIPPED), WRMSR_VE(msr_misc_enable),
	RDMSR(msr_debugctl, SKIPPED), WRMSR(msr_debugctl, SKIPPED), WRMSR(msr_debugctl_bad, GP),
	RDMSR(msr_pat, SKIPPED), WRMSR(msr_pat, SKIPPED), WRMSR(msr_pat_bad, GP),
	RDMSR(msr_xss, SKIPPED), WRMSR(msr_xss, SKIPPED), WRMSR(msr_xss_bad, GP),
	RDMSR(efer_same, SKIPPED), WRMSR(efer_same, SKIPPED), WRMSR(efer_no_sce, SKIPPED),
	WRMSR_VE(efer_no_nx),
	RDMSR_VE(apic_id), WRMSR_VE(apic_id),
	RDMSR(apic_tpr, SKIPPED), WRMSR(apic_tpr, SKIPPED), WRMSR(apic_tpr_bad, GP),
	RDMSR(apic_ppr, SKIPPED), WRMSR(apic_ppr, GP),
	RDMSR(apic_eoi, GP), WRMSR(apic_eoi, SKIPPED), WRMSR(apic_eoi_bad, GP),
	RDMSR(apic_isr, SKIPPED), WRMSR(apic_isr, GP),
	RDMSR(apic_tmr, SKIPPED), WRMSR(apic_tmr, GP),
	RDMSR(apic_irr, SKIPPED), WRMSR(apic_irr, GP),
	RDMSR_VE(apic_esr), RDMSR_VE(apic_icr), WRMSR_VE(apic_icr), WRMSR_VE(apic_timer),
	RDMSR(apic_self_ipi, GP), WRMSR(apic_self_ipi, SKIPPED),
	WRMSR(apic_self_ipi_low, GP), WRMSR(apic_self_ipi_high, GP),

	CR0_ROW(cr0_same, SKIPPED), CR0_ROW(cr0_no_wp, SKIPPED),
	CR0_ROW(cr0_pg_no_pe, GP), CR0_ROW(cr0_high, GP),
	CR0_ROW(cr0_nw, GP), CR0_ROW(cr0_no_pg, GP),
	CR0_ROW(cr0_no_pe, CR_VE), CR0_ROW(cr0_no_ne, CR_VE), CR0_ROW(cr0_cd, CR_VE), CR0_ROW(cr0_cd_nw, CR_VE),
	CR4_ROW(cr4_pge, SKIPPED), CR4_ROW(cr4_no_pae, GP), CR4_ROW(cr4_unknown, GP),
	CR4_ROW(cr4_pke, GP), CR4_ROW(cr4_pks, GP),
	CR4_ROW(cr4_no_mce, CR_VE, .qualification = 4),
	CR4_ROW(cr4_vmxe, CR_VE, .qualification = 4),
	CR4_ROW(cr4_smxe, CR_VE, .qualification = 4),
	CR8_ROW(cr8_ok, SKIPPED), CR8_ROW(cr8_bad, GP),
	R("mov_cr3_refused", "\x0f\x22\xd8", 3, BAD_STATE, GP),
	R("mov_cr3_r12", "\x41\x0f\x22\xdc", 4, BAD_STATE, GP),
	R("lmsw", "\x0f\x01\xf0", 3, CR, SKIPPED),
	R("lmsw_memory", "\x0f\x01\x30", 3, CR, GP),

	R("tdcall_user", "\x66\x0f\x01\xcc", 4, UNDEFINED, GP, .twist = user_mode),
	R("tdcall_32bit", "\x66\x0f\x01\xcc", 4, UNDEFINED, GP, .twist = not_64bit),
	R("rdtsc", "\x0f\x31", 2, RDTSC, SKIPPED),
	R("rdtscp", "\x0f\x01\xf9", 3, RDTSC, SKIPPED),
};

static void run_row(void **state)
{
	const struct insn_row *row = *state;
	struct host *h = host_new(NULL);
	struct guest_cpu before;
	struct guest g;

	guest_start(&g, h);
	g.exit = (struct guest_exit){ .why = row->why };
	if (row->twist)
		row->twist(&g);
	guest_code(&g, row->code, row->len);
	before = *g.r;
	assert_true(guest_stop_with(&g));

	if (row->outcome == SKIPPED) {
		assert_skipped(&g, row->len);
	} else {
		if (row->outcome == VE)
			assert_ve(&g, row->reason, row->qualification, 0, row->len);
		else
			assert_injects(&g, row->outcome == UD ? VECTOR_UD : VECTOR_GP);
		/* The instruction did nothing. */
		assert_memory_equal(g.r, &before, sizeof(before));
	}
	host_free(h);
}

static int run_insn_rows(void)
{
	struct CMUnitTest tests[ARRAY_SIZE(rows)];

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		tests[i] = (struct CMUnitTest){ .name = rows[i].name, .test_func = run_row,
						.initial_state = (void *)&rows[i] };
	return _cmocka_run_group_tests("guest_insn", tests, ARRAY_SIZE(tests), NULL, NULL);
}

static void msr(struct guest *g, const char *code, uint32_t number, uint64_t value)
{
	g->r->rip = GPA_CODE;
	g->r->gpr.rcx = number;
	g->r->gpr.rax = (uint32_t)value;
	g->r->gpr.rdx = value >> 32;
	guest_code(g, code, 2);
	assert_true(guest_stop(g, GUEST_STOP_MSR));
	assert_skipped(g, 2);
}

static uint64_t rdmsr(struct guest *g, uint32_t number)
{
	msr(g, "\x0f\x32", number, ~0ULL);
	return g->r->gpr.rdx << 32 | g->r->gpr.rax;
}

static void wrmsr(struct guest *g, uint32_t number, uint64_t value)
{
	msr(g, "\x0f\x30", number, value);
}

static void msrs_keep_their_values(void **state)
{
	static const struct { uint32_t msr; uint64_t value; } kept[] = {
		{ 0x48, 5 }, { 0x1D9, 3 }, { 0x277, 0x0007010600070106 }, { 0xDA0, 0 },
		{ 0x808, 0x31 },
	};
	struct guest g;

	guest_start(&g, *state);
	for (size_t i = 0; i < ARRAY_SIZE(kept); i++) {
		wrmsr(&g, kept[i].msr, kept[i].value);
		assert_int_equal(rdmsr(&g, kept[i].msr), kept[i].value);
	}
	assert_int_equal(rdmsr(&g, 0x10A), host_td(g.h)->params.arch_cap);
	assert_int_equal(rdmsr(&g, 0xC0000080), g.r->efer);
	wrmsr(&g, 0xC0000080, g.r->efer & ~1ULL);
	assert_int_equal(g.r->efer, 0xD00);
}

static void cpuid(struct guest *g, uint32_t leaf, uint32_t subleaf)
{
	g->r->rip = GPA_CODE;
	g->r->gpr.rax = 0xFFFFFFFF00000000ULL | leaf;
	g->r->gpr.rcx = 0xFFFFFFFF00000000ULL | subleaf;
	guest_code(g, "\x0f\xa2", 2);
	assert_true(guest_stop(g, GUEST_STOP_CPUID));
}

static void cpuid_is_what_init_computed(void **state)
{
	const uint32_t *want;
	struct guest g;

	guest_start(&g, *state);
	want = virtual_cpuid_find(host_td(g.h)->cpuid, 0, CPUID_NO_SUBLEAF);
	cpuid(&g, 0, 0);
	assert_skipped(&g, 2);
	assert_int_equal(g.r->gpr.rax, want[EAX]);
	assert_int_equal(g.r->gpr.rbx, want[EBX]);
	assert_int_equal(g.r->gpr.rcx, want[ECX]);
	assert_int_equal(g.r->gpr.rdx, want[EDX]);
}

/* No row too many, which would be leaf 0 again. */
static void cpuid_table_is_full(void **state)
{
	(void)state;
	for (size_t i = 1; i < NR_CPUID_VISIBLE; i++)
		assert_true(cpuid_visible[i].leaf);
}

static void cpuid_of_this_vcpu(void **state)
{
	struct guest g;

	guest_start(&g, *state);
	cpuid(&g, 1, 0);
	assert_int_equal(g.r->gpr.rbx >> 24, 0);
	assert_int_equal(g.r->gpr.rcx >> 27 & 1, 0);
	g.r->cr4 |= CR4_OSXSAVE;
	atomic_store(&host_td(g.h)->td_ctls, TD_CTLS_ENUM_TOPOLOGY);
	cpuid(&g, 1, 0);
	assert_int_equal(g.r->gpr.rbx >> 24, GUEST_X2APIC_ID);
	assert_int_equal(g.r->gpr.rcx >> 27 & 1, 1);
	cpuid(&g, 0xD, 0);
	assert_int_equal(g.r->gpr.rbx, 576);
	cpuid(&g, 0x80000001, 0);
	assert_int_equal(g.r->gpr.rdx >> 11 & 1, 1);
}

/* Above the last leaf, CPUs answer as for the last basic one. */
static void cpuid_above_the_last(void **state)
{
	struct guest g;
	uint32_t last;

	guest_start(&g, *state);
	last = virtual_cpuid_find(host_td(g.h)->cpuid, 0, CPUID_NO_SUBLEAF)[EAX];
	cpuid(&g, last, 0);
	if (g.v->run.inject.valid) {
		assert_int_equal(g.v->run.inject.vector, VECTOR_VE);
		g.v->ve.valid = false;
		cpuid(&g, 0x2FFFFFFF, 0);
		assert_ve(&g, VMX_CPUID, 0, 0, 2);
	} else {
		struct seam_regs want = g.r->gpr;

		cpuid(&g, 0x2FFFFFFF, 0);
		assert_int_equal(g.r->gpr.rax, want.rax);
		assert_int_equal(g.r->gpr.rbx, want.rbx);
	}
}

static void tsc_is_scaled(void **state)
{
	const struct td_params *p;
	uint64_t tsc;
	struct guest g;

	guest_start(&g, *state);
	p = &host_td(g.h)->params;
	g.r->tsc_aux = 0xFFFFFFFF00000042ULL;
	guest_code(&g, "\x0f\x01\xf9", 3);
	assert_true(guest_stop(&g, GUEST_STOP_RDTSC));
	assert_int_equal(g.r->gpr.rcx, 0x42);
	tsc = g.r->gpr.rdx << 32 | g.r->gpr.rax;
	/* The TD's clock started at zero with MNG.INIT, and runs at its own rate. */
	assert_true(tsc < 1000000000);
	assert_int_equal(p->tsc_multiplier, (1ULL << 48) * 40 * 25 / 1000);
}

/* The next #VE before the guest took VE_INFO. */
static void second_ve_is_df(void **state)
{
	struct guest g;

	guest_start(&g, *state);
	guest_code(&g, "\xf4", 1);
	assert_true(guest_stop(&g, GUEST_STOP_HLT));
	assert_ve(&g, VMX_HLT, 0, 0, 1);
	guest_code(&g, "\x0f\x09", 2);
	assert_true(guest_stop(&g, GUEST_STOP_CACHE));
	assert_injects(&g, VECTOR_DF);
	/* What the first was about is still there. */
	assert_int_equal(g.v->ve.reason, VMX_HLT);
}

static void vectoring(struct guest *g, enum guest_event_type type, uint8_t vector)
{
	g->exit = (struct guest_exit){
		.why = GUEST_STOP_HLT,
		.vectoring = { .valid = true, .type = type, .vector = vector },
	};
	guest_code(g, "\xf4", 1);
}

/* Exceptions that add up, and those that follow one another. */
static void ve_during_delivery(void **state)
{
	static const struct { uint8_t first, want; } rows_[] = {
		{ VECTOR_PF, VECTOR_DF }, { VECTOR_VE, VECTOR_DF },
		{ VECTOR_GP, VECTOR_VE }, { VECTOR_DE, VECTOR_VE }, { VECTOR_TS, VECTOR_VE },
		{ VECTOR_UD, VECTOR_VE }, { VECTOR_DB, VECTOR_VE },
	};
	struct guest g;

	guest_start(&g, *state);
	for (size_t i = 0; i < ARRAY_SIZE(rows_); i++) {
		g.v->ve.valid = false;
		vectoring(&g, GUEST_EVENT_EXCEPTION, rows_[i].first);
		assert_true(guest_stop_with(&g));
		assert_injects(&g, rows_[i].want);
	}
	vectoring(&g, GUEST_EVENT_EXCEPTION, VECTOR_DF);
	assert_false(guest_stop_with(&g));
	assert_left(&g, TDX_NON_RECOVERABLE_VCPU | VMX_TRIPLE_FAULT);
}

static void gp_during_delivery(void **state)
{
	struct guest g;

	guest_start(&g, *state);
	vectoring(&g, GUEST_EVENT_EXCEPTION, VECTOR_GP);
	g.exit.why = GUEST_STOP_RDPMC;
	assert_true(guest_stop_with(&g));
	assert_injects(&g, VECTOR_DF);
	vectoring(&g, GUEST_EVENT_EXCEPTION, VECTOR_UD);
	g.exit.why = GUEST_STOP_RDPMC;
	assert_true(guest_stop_with(&g));
	assert_injects(&g, VECTOR_GP);
}

/* An interrupt that gave way to #VE is delivered later. */
static void interrupt_gives_way(void **state)
{
	struct guest g;

	guest_start(&g, *state);
	vapic_request(&g.v->apic, 0x41);
	vapic_deliver(&g.v->apic, 0x41);
	vectoring(&g, GUEST_EVENT_INTERRUPT, 0x41);
	assert_true(guest_stop_with(&g));
	assert_injects(&g, VECTOR_VE);
	assert_int_equal(vapic_deliverable(&g.v->apic), 0x41);

	g.v->ve.valid = false;
	g.v->nmi_blocked = true;
	vectoring(&g, GUEST_EVENT_NMI, VECTOR_NMI);
	assert_true(guest_stop_with(&g));
	assert_injects(&g, VECTOR_VE);
	assert_false(g.v->nmi_blocked);
	assert_true(host_vcpu(g.h)->pend_nmi);
}

/* What was not delivered comes again, also after a way through the host. */
static void delivery_is_resumed(void **state)
{
	struct guest g;

	guest_start(&g, *state);
	g.exit = (struct guest_exit){
		.why = GUEST_STOP_MEMORY, .gpa = GPA_FREE, .write = true,
		.vectoring = { .valid = true, .type = GUEST_EVENT_EXCEPTION, .vector = VECTOR_PF,
			       .has_error = true, .error = 6 },
	};
	assert_false(guest_stop_with(&g));
	guest_enter(&g, (struct seam_regs){ 0 });
	assert_true(g.v->run.inject.valid);
	assert_int_equal(g.v->run.inject.vector, VECTOR_PF);
	assert_int_equal(g.v->run.inject.error, 6);
}

static void single_step(void **state)
{
	struct guest g;

	guest_start(&g, *state);
	g.r->rflags |= 1 << 8 | RFLAGS_RF;
	g.r->interrupt_shadow = true;
	guest_code(&g, "\x0f\x31", 2);
	assert_true(guest_stop(&g, GUEST_STOP_RDTSC));
	assert_int_equal(g.r->rip, GPA_CODE + 2);
	assert_int_equal(g.v->run.inject.vector, VECTOR_DB);
	assert_true(g.r->dr6 & 1 << 14);
	assert_false(g.r->interrupt_shadow);
	assert_false(g.r->rflags & RFLAGS_RF);
}

/* On the way to 64-bit mode, as any guest goes it. */
static void paging_goes_on(void **state)
{
	struct guest g = { .h = *state };

	guest_build(g.h, 0, 0);
	guest_enter(&g, (struct seam_regs){ 0 });
	g.r->rip = GPA_CODE;
	g.r->cr4 |= CR4_PAE;
	g.r->cr3 = GPA_PML4;
	g.r->gpr.rax = 0x80000021;
	guest_code(&g, "\x0f\x22\xc0", 3);
	assert_true(guest_stop(&g, GUEST_STOP_CR));
	assert_skipped(&g, 3);
	assert_int_equal(g.r->cr0, 0x80000031);
	assert_int_equal(g.r->efer, 0xD01);
	/* ... and off again. */
	g.r->gpr.rax = 0x21;
	g.r->rip = GPA_CODE;
	assert_true(guest_stop(&g, GUEST_STOP_CR));
	assert_int_equal(g.r->cr0, 0x31);
	assert_int_equal(g.r->efer, 0x901);
	/* Without PAE there is no long mode. */
	g.r->cr4 &= ~CR4_PAE;
	g.r->gpr.rax = 0x80000021;
	g.r->rip = GPA_CODE;
	assert_true(guest_stop(&g, GUEST_STOP_CR));
	assert_injects(&g, VECTOR_GP);
}

static void xcr0(void **state)
{
	static const struct { uint64_t xfam, xcr0; bool ok; } rows_[] = {
		{ 3, 1, true }, { 3, 3, true }, { 3, 7, false }, { 3, 2, false }, { 3, 0, false },
		{ 7, 7, true }, { 7, 5, false }, { 0xE7, 0xE7, true }, { 0xE7, 0x67, false },
		{ 0xE7, 0xE3, false }, { 0x203, 0x203, true }, { 0x3, 0x203, false },
		{ 0x60003, 0x60003, true }, { 0x60003, 0x20003, false },
	};
	struct guest g;

	guest_start(&g, *state);
	for (size_t i = 0; i < ARRAY_SIZE(rows_); i++) {
		host_td(g.h)->params.xfam = rows_[i].xfam;
		assert_int_equal(seam_guest_xsetbv(g.h->seam, 0, 0, rows_[i].xcr0), rows_[i].ok);
	}
	assert_false(seam_guest_xsetbv(g.h->seam, 0, 1, 1));
}

/* The page with the instruction went away: the guest will fault on it. */
static void instruction_is_gone(void **state)
{
	struct guest g;

	guest_start(&g, *state);
	g.r->rip = GPA_FREE;
	assert_true(guest_stop(&g, GUEST_STOP_CPUID));
	assert_false(g.v->run.inject.valid);
	assert_int_equal(g.r->rip, GPA_FREE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		host_test(msrs_keep_their_values),
		host_test(cpuid_is_what_init_computed),
		host_test(cpuid_table_is_full),
		host_test(cpuid_of_this_vcpu),
		host_test(cpuid_above_the_last),
		host_test(tsc_is_scaled),
		host_test(second_ve_is_df),
		host_test(ve_during_delivery),
		host_test(gp_during_delivery),
		host_test(interrupt_gives_way),
		host_test(delivery_is_resumed),
		host_test(single_step),
		host_test(paging_goes_on),
		host_test(xcr0),
		host_test(instruction_is_gone),
	};
	int failed = run_insn_rows();

	return failed + cmocka_run_group_tests_name("guest_ve", tests, NULL, NULL);
}
