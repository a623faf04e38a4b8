// SPDX-License-Identifier: GPL-2.0-only
/* TDCALL: its leaves, each with its errors, as a guest meets them. */
#include <nettle/sha2.h>
#include <stdlib.h>
#include <string.h>

#include "field_id.h"
#include "guest_host.h"
#include "state.h"
#include "plain.h"

#define VMCALL(mask)	{ .rax = 0, .rcx = (mask) }
#define INFO()		{ .rax = 1, .rcx = 9, .rdx = 9, .r8 = 9, .r9 = 9, .r10 = 9, .r11 = 9 }
#define EXTEND(gpa, n)	{ .rax = 2, .rcx = (gpa), .rdx = (n) }
#define VEINFO()	{ .rax = 3, .rcx = 9, .rdx = 9, .r8 = 9, .r9 = 9, .r10 = 9 }
#define REPORT(to, from) { .rax = 4, .rcx = (to), .rdx = (from) }
#define ACCEPT(gpa)	{ .rax = 6, .rcx = (gpa) }
#define VM_RD(field)	{ .rax = 7, .rdx = (field), .r8 = 9 }
#define VM_WR(field, value, mask) \
	{ .rax = 8, .rdx = (field), .r8 = (value), .r9 = (mask) }

/* As guests make them. */
#define ATTRIBUTES	0x1110000300000000ULL
#define TD_CTLS		0x1110000300000017ULL
#define NUM_VCPUS	0x9010000200000001ULL
#define NOTIFY_ENABLES	0x9100000000000010ULL
#define TOPOLOGY	0x9100000000000019ULL

TWIST(rtmr_shared, lock_try_shared(&host_td(h)->rtmr_lock))
TWIST(rtmr_exclusive, lock_try_exclusive(&host_td(h)->rtmr_lock))
TWIST(tree_locked, lock_try_exclusive(&host_td(h)->sept.lock))
TWIST(entry_locked, lock_try_exclusive(&host_entry(h, GPA_AUG, 0)->lock))
TWIST(host_priority, atomic_store(&host_entry(h, GPA_AUG, 0)->host_priority, true))
TWIST(write_blocked, atomic_store(&host_entry(h, GPA_REG, 0)->word, REG_PAGE | SEPT_BLOCKEDW))
TWIST(table_blocked, td_must(h, 1, (struct seam_regs){ .rax = TDH_MEM_SEPT_ADD,
						       .rcx = GPA_NO_TABLE | 1, .rdx = TDR,
						       .r8 = PG(80) });
		     td_must(h, 1, (struct seam_regs){ .rax = TDH_MEM_RANGE_BLOCK,
						       .rcx = GPA_NO_TABLE | 1, .rdx = TDR }))
/* A page of 2M that the guest accepted. */
TWIST(large_page, td_must(h, 1, (struct seam_regs){ .rax = TDH_MEM_PAGE_AUG,
						    .rcx = GPA_NO_TABLE | 1, .rdx = TDR,
						    .r8 = FREE_2M });
		  sept_accept(&host_td(h)->sept, GPA_NO_TABLE, 1, &(struct sept_walk){ 0 }))
TWIST(td_52, host_td(h)->params.gpaw = 52)
TWIST(no_x2apic_id, host_vcpu(h)->has_x2apic_id = false)
TWIST(flexible, host_td(h)->params.config_flags |= TD_CONFIG_FLEXIBLE_PENDING_VE)
TWIST(may_use_rbp, host_td(h)->params.config_flags = 0)

struct tdcall_row {
	const char *name;
	void (*twist)(struct host *h, struct seam_regs *regs);
	struct seam_regs in;
	uint64_t status;
};

#define INVALID(op)	(TDX_OPERAND_INVALID | OPERAND_ ## op)

static const struct tdcall_row rows[] = {
	{ "leaf_5", NULL, { .rax = 5 }, INVALID(RAX) },
	{ "leaf_9", NULL, { .rax = 9 }, INVALID(RAX) },
	{ "leaf_FFFF", NULL, { .rax = 0xFFFF }, INVALID(RAX) },
	{ "rax_bit_24", NULL, { .rax = 1 | 1 << 24 }, INVALID(RAX) },
	{ "rax_bit_63", NULL, { .rax = 1 | 1ULL << 63 }, INVALID(RAX) },
	{ "info_version_1", NULL, { .rax = 1 | 1 << 16 }, INVALID(RAX) },
	{ "vm_rd_version_2", NULL, { .rax = 7 | 2 << 16 }, INVALID(RAX) },

	{ "vmcall_rax", NULL, VMCALL(1 << 0), INVALID(RCX) },
	{ "vmcall_rcx", NULL, VMCALL(1 << 1), INVALID(RCX) },
	{ "vmcall_rsp", NULL, VMCALL(1 << 4), INVALID(RCX) },
	{ "vmcall_rbp", NULL, VMCALL(1 << 5), INVALID(RCX) },
	{ "vmcall_bit_32", NULL, VMCALL(1ULL << 32), INVALID(RCX) },
	{ "vmcall_bit_63", NULL, VMCALL(1ULL << 63), INVALID(RCX) },

	{ "info", NULL, INFO(), TDX_SUCCESS },

	{ "extend", NULL, EXTEND(GPA_REG + 64, 3), TDX_SUCCESS },
	{ "extend_misaligned", NULL, EXTEND(GPA_REG + 32, 0), INVALID(RCX) },
	{ "extend_shared", NULL, EXTEND(GPA_REG | GPA_SHARED, 0), INVALID(RCX) },
	{ "extend_beyond", NULL, EXTEND(GPA_REG | 1ULL << 48, 0), INVALID(RCX) },
	{ "extend_rtmr_4", NULL, EXTEND(GPA_REG, 4), INVALID(RDX) },
	{ "extend_rtmr_high", NULL, EXTEND(GPA_REG, 1ULL << 32), INVALID(RDX) },
	{ "extend_busy_shared", rtmr_shared, EXTEND(GPA_REG, 0), TDX_OPERAND_BUSY | OPERAND_RTMR },
	{ "extend_busy", rtmr_exclusive, EXTEND(GPA_REG, 0), TDX_OPERAND_BUSY | OPERAND_RTMR },

	{ "veinfo_none", NULL, VEINFO(), TDX_NO_VALID_VE_INFO },

	{ "report", NULL, REPORT(GPA_REG + 1024, GPA_REG + 64), TDX_SUCCESS },
	{ "report_shared_lock", rtmr_shared, REPORT(GPA_REG, GPA_REG), TDX_SUCCESS },
	{ "report_misaligned", NULL, REPORT(GPA_REG + 512, GPA_REG), INVALID(RCX) },
	{ "report_shared", NULL, REPORT(GPA_REG | GPA_SHARED, GPA_REG), INVALID(RCX) },
	{ "report_data_misaligned", NULL, REPORT(GPA_REG, GPA_REG + 32), INVALID(RDX) },
	{ "report_data_shared", NULL, REPORT(GPA_REG, GPA_REG | GPA_SHARED), INVALID(RDX) },
	{ "report_subtype", NULL, { .rax = 4, .rcx = GPA_REG, .rdx = GPA_REG, .r8 = 1 },
	  INVALID(R8) },
	{ "report_both", NULL, REPORT(GPA_REG + 1, GPA_REG + 1), INVALID(RCX) },
	{ "report_busy", rtmr_exclusive, REPORT(GPA_REG, GPA_REG),
	  TDX_OPERAND_BUSY | OPERAND_RTMR },

	{ "accept", NULL, ACCEPT(GPA_AUG), TDX_SUCCESS },
	{ "accept_again", NULL, ACCEPT(GPA_REG), TDX_PAGE_ALREADY_ACCEPTED },
	{ "accept_size", NULL, ACCEPT(1), TDX_PAGE_SIZE_MISMATCH | 1 },
	{ "accept_level_2", NULL, ACCEPT(2), INVALID(RCX) },
	{ "accept_low_bits", NULL, ACCEPT(GPA_AUG | 8), INVALID(RCX) },
	{ "accept_bit_63", NULL, ACCEPT(GPA_AUG | 1ULL << 63), INVALID(RCX) },
	{ "accept_misaligned", NULL, ACCEPT(GPA_AUG | 1), INVALID(RCX) },
	{ "accept_shared", NULL, ACCEPT(GPA_AUG | GPA_SHARED), INVALID(RCX) },
	{ "accept_beyond", NULL, ACCEPT(GPA_AUG | 1ULL << 48), INVALID(RCX) },
	{ "accept_beyond_52", td_52, ACCEPT(GPA_AUG | 1ULL << 51), INVALID(RCX) },
	{ "accept_size_blocked", table_blocked, ACCEPT(GPA_NO_TABLE | 1),
	  TDX_PAGE_SIZE_MISMATCH | 1 },
	{ "accept_write_blocked", write_blocked, ACCEPT(GPA_REG), TDX_PAGE_ALREADY_ACCEPTED },
	{ "accept_large_again", large_page, ACCEPT(GPA_NO_TABLE | 1),
	  TDX_PAGE_ALREADY_ACCEPTED | 1 },
	{ "accept_in_large", large_page, ACCEPT(GPA_NO_TABLE + SZ_4K),
	  TDX_PAGE_ALREADY_ACCEPTED | 1 },
	/* What the host does to other entries is no concern of the guest's. */
	{ "accept_tree_busy", tree_locked, ACCEPT(GPA_AUG), TDX_SUCCESS },
	{ "accept_host_priority", host_priority, ACCEPT(GPA_AUG),
	  TDX_OPERAND_BUSY | OPERAND_RCX },
	{ "accept_entry_busy", entry_locked, ACCEPT(GPA_AUG), TDX_OPERAND_BUSY | OPERAND_RCX },

	{ "vm_rd", NULL, VM_RD(NUM_VCPUS), TDX_SUCCESS },
	{ "vm_rd_rcx", NULL, { .rax = 7, .rcx = 1, .rdx = NUM_VCPUS }, INVALID(RCX) },
	{ "vm_rd_unknown", NULL, VM_RD(0x3000), TDX_METADATA_FIELD_ID_INCORRECT },
	{ "vm_rd_null", NULL, VM_RD(FIELD_NULL), TDX_METADATA_FIELD_ID_INCORRECT },
	{ "vm_rd_last_element", NULL, VM_RD(NUM_VCPUS | 1ULL << 34),
	  TDX_METADATA_FIELD_ID_INCORRECT },

	{ "vm_wr", flexible, VM_WR(TD_CTLS, 1, 1), TDX_SUCCESS },
	{ "vm_wr_rcx", NULL, { .rax = 8, .rcx = 1, .rdx = TD_CTLS }, INVALID(RCX) },
	{ "vm_wr_unknown", NULL, VM_WR(0x3000, 0, 1), TDX_METADATA_FIELD_ID_INCORRECT },
	{ "vm_wr_read_only", NULL, VM_WR(NUM_VCPUS, 0, 1), TDX_METADATA_FIELD_NOT_WRITABLE },
	{ "vm_wr_not_flexible", NULL, VM_WR(TD_CTLS, 1, 1), TDX_METADATA_FIELD_VALUE_NOT_VALID },
	{ "vm_wr_ctls_bit_2", NULL, VM_WR(TD_CTLS, 4, 4), TDX_METADATA_FIELD_VALUE_NOT_VALID },
	{ "vm_wr_topology", NULL, VM_WR(TD_CTLS, 2, 2), TDX_SUCCESS },
	{ "vm_wr_topology_no_id", no_x2apic_id, VM_WR(TD_CTLS, 2, 2),
	  TDX_METADATA_FIELD_VALUE_NOT_VALID },
	{ "vm_wr_notify", NULL, VM_WR(NOTIFY_ENABLES, 1, 1), TDX_SUCCESS },
	{ "vm_wr_notify_bit_1", NULL, VM_WR(NOTIFY_ENABLES, 2, 2),
	  TDX_METADATA_FIELD_VALUE_NOT_VALID },
};

static const char *leaf_name(uint64_t rax)
{
	static const char *const names[] = {
		[0] = "TDG.VP.VMCALL", [1] = "TDG.VP.INFO", [2] = "TDG.MR.RTMR.EXTEND",
		[3] = "TDG.VP.VEINFO.GET", [4] = "TDG.MR.REPORT", [6] = "TDG.MEM.PAGE.ACCEPT",
		[7] = "TDG.VM.RD", [8] = "TDG.VM.WR",
	};
	uint64_t leaf = rax & 0xFFFF;

	return leaf < ARRAY_SIZE(names) && names[leaf] ? names[leaf] : "unknown TDCALL";
}

/* Nothing but the guest's registers may be different after a call that failed. */
static void assert_unchanged(struct host *h, const struct tdcall_row *row,
			     const struct seam_regs *in, uint64_t before)
{
	struct guest_cpu *r = guest_cpu(h);
	struct seam_regs out = r->gpr;
	uint64_t rip = r->rip;

	r->gpr = *in;
	r->rip = GPA_CODE;
	host_call_failed(h, leaf_name(row->in.rax), row->status, row->name, before);
	r->gpr = out;
	r->rip = rip;
}

static void run_row(void **state)
{
	const struct tdcall_row *row = *state;
	struct host *h = host_new(NULL);
	struct seam_regs in = row->in;
	uint64_t before;

	guest_run_64bit(h);
	if (row->twist)
		row->twist(h, &in);
	in.rbx = 0x1122;
	in.r15 = 0x3344;
	guest_cpu(h)->gpr = in;
	memcpy(guest_mem(h, GPA_CODE), INSN_TDCALL, sizeof(INSN_TDCALL) - 1);
	before = host_state(h);
	assert_status(guest_tdcall(h, in), row->status);
	if (row->status)
		assert_unchanged(h, row, &in, before);
	assert_int_equal(guest_cpu(h)->gpr.rbx, 0x1122);
	assert_int_equal(guest_cpu(h)->gpr.r15, 0x3344);
	assert_int_equal(h->nr_violations, 0);
	host_free(h);
}

static int run_tdcall_rows(void)
{
	struct CMUnitTest *tests = calloc(ARRAY_SIZE(rows), sizeof(*tests));
	int failed;

	if (!tests)
		return 1;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		tests[i].name = rows[i].name;
		tests[i].test_func = run_row;
		tests[i].initial_state = (void *)(uintptr_t)&rows[i];
	}
	failed = _cmocka_run_group_tests("tdcall rows", tests, ARRAY_SIZE(rows), NULL, NULL);
	free(tests);
	return failed;
}

/* Only 64-bit code of the kernel may execute it. */
static void who_may(void **state)
{
	struct host *h = *state;

	guest_run_64bit(h);
	guest_cpu(h)->seg[SEG_SS].ar |= 3U << SEG_AR_DPL_SHIFT;
	assert_int_equal(STOP_AT(h, GUEST_STOP_UNDEFINED, INSN_TDCALL), SEAM_END_RUN_GUEST);
	assert_exception(h, VECTOR_GP);

	guest_cpu(h)->seg[SEG_SS].ar &= ~(3U << SEG_AR_DPL_SHIFT);
	guest_cpu(h)->seg[SEG_CS].ar &= ~SEG_AR_L;
	assert_int_equal(STOP_AT(h, GUEST_STOP_UNDEFINED, INSN_TDCALL), SEAM_END_RUN_GUEST);
	assert_exception(h, VECTOR_GP);
}

static void info(void **state)
{
	struct host *h = *state;
	const struct seam_regs *r;

	guest_run_64bit(h);
	r = &guest_cpu(h)->gpr;
	assert_status(guest_tdcall(h, (struct seam_regs)INFO()), TDX_SUCCESS);
	assert_int_equal(r->rcx, 48);
	assert_int_equal(r->rdx, 0);
	assert_int_equal(r->r8, 1 | 3ULL << 32);
	assert_int_equal(r->r9, 0);
	assert_int_equal(r->r10, 1);
	assert_int_equal(r->r11, 0);
}

static void veinfo(void **state)
{
	struct host *h = *state;
	const struct seam_regs *r;

	guest_run_64bit(h);
	r = &guest_cpu(h)->gpr;
	guest_vcpu(h)->ve = (struct ve_info){ true, 48, 0x182, 0x1000, 0x2000, 3, 0x70 };
	assert_status(guest_tdcall(h, (struct seam_regs)VEINFO()), TDX_SUCCESS);
	assert_int_equal(r->rcx, 48);
	assert_int_equal(r->rdx, 0x182);
	assert_int_equal(r->r8, 0x1000);
	assert_int_equal(r->r9, 0x2000);
	assert_int_equal(r->r10, 3 | 0x70ULL << 32);

	/* There is nothing left, and nothing of it shows. */
	assert_status(guest_tdcall(h, (struct seam_regs)VEINFO()), TDX_NO_VALID_VE_INFO);
	assert_int_equal(r->rcx | r->rdx | r->r8 | r->r9 | r->r10, 0);
}

static void extend(void **state)
{
	uint8_t want[TD_NR_RTMRS][SHA384_BYTES] = { 0 };
	struct host *h = *state;
	struct sha384_ctx ctx;

	guest_run_64bit(h);
	for (unsigned int i = 0; i < 5; i++) {
		unsigned int n = i % TD_NR_RTMRS;
		uint64_t gpa = GPA_REG + 64 * i;

		assert_status(guest_tdcall(h, (struct seam_regs)EXTEND(gpa, n)), TDX_SUCCESS);
		sha384_init(&ctx);
		sha384_update(&ctx, SHA384_BYTES, want[n]);
		sha384_update(&ctx, SHA384_BYTES, guest_mem(h, gpa));
		sha384_digest(&ctx, SHA384_BYTES, want[n]);
	}
	assert_memory_equal(host_td(h)->rtmr, want, sizeof(want));
	assert_int_equal(host_td(h)->rtmr_lock.holders, 0);
}

/* An operand in memory that is not there: the host may bring it, and the call repeats. */
static void operand_absent(void **state)
{
	struct host *h = *state;

	guest_run_64bit(h);
	guest_cpu(h)->gpr = (struct seam_regs)EXTEND(GPA_FREE, 0);
	assert_int_equal(STOP_AT(h, GUEST_STOP_UNDEFINED, INSN_TDCALL), SEAM_END_DONE);
	assert_status(guest_result.regs.rax, VMX_EPT_VIOLATION);
	assert_int_equal(guest_result.regs.r8, GPA_FREE);
	assert_int_equal(guest_vcpu(h)->run.cpu.rip, GPA_CODE);
	assert_int_equal(guest_vcpu(h)->run.cpu.gpr.rax, 2);
}

/* Memory that the guest did not accept is a #VE. */
static void operand_pending(void **state)
{
	struct host *h = *state;

	guest_run_64bit(h);
	guest_cpu(h)->gpr = (struct seam_regs)REPORT(GPA_AUG, GPA_REG);
	assert_int_equal(STOP_AT(h, GUEST_STOP_UNDEFINED, INSN_TDCALL), SEAM_END_RUN_GUEST);
	/* Even where that would be the guest's address, too. */
	assert_ve(h, VMX_EPT_VIOLATION, EPT_QUAL_WRITE, 0);
	assert_int_equal(guest_vcpu(h)->ve.gpa, GPA_AUG);
	assert_int_equal(guest_vcpu(h)->ve.linear, 0);
	assert_int_equal(guest_cpu(h)->gpr.rax, 4);
}

static void accept(void **state)
{
	static const uint8_t zero[SZ_4K];
	struct guest_map map;
	struct host *h = *state;

	guest_run_64bit(h);
	assert_false(seam_guest_map(h->seam, 0, GPA_AUG, &map));
	assert_status(guest_tdcall(h, (struct seam_regs)ACCEPT(GPA_AUG)), TDX_SUCCESS);
	assert_true(seam_guest_map(h->seam, 0, GPA_AUG, &map));
	assert_true(map.is_private && map.writable && map.executable);
	assert_int_equal(map.pa, AUG_PAGE);
	assert_memory_equal(guest_mem(h, GPA_AUG), zero, sizeof(zero));
}

static uint64_t vm_rd(struct host *h, uint64_t field)
{
	assert_status(guest_tdcall(h, (struct seam_regs)VM_RD(field)), TDX_SUCCESS);
	return guest_cpu(h)->gpr.r8;
}

static void vm_fields(void **state)
{
	struct host *h = *state;

	guest_run_64bit(h);
	assert_int_equal(vm_rd(h, ATTRIBUTES), 0);
	assert_int_equal(vm_rd(h, ATTRIBUTES + 1), 3);
	assert_int_equal(vm_rd(h, 0x1110000100000009ULL), 40);
	assert_int_equal(vm_rd(h, 0x1110000300000016ULL), TD_CONFIG_NO_RBP_MOD);
	assert_int_equal(vm_rd(h, NUM_VCPUS), 1);
	assert_int_equal(vm_rd(h, TOPOLOGY), 1);
	no_x2apic_id(h, NULL);
	assert_int_equal(vm_rd(h, TOPOLOGY), 0);

	/* A write tells the value before, and changes what the mask says. */
	host_vcpu(h)->has_x2apic_id = true;
	flexible(h, NULL);
	assert_status(guest_tdcall(h, (struct seam_regs)VM_WR(TD_CTLS, 3, 1)), TDX_SUCCESS);
	assert_int_equal(guest_cpu(h)->gpr.r8, 0);
	assert_int_equal(vm_rd(h, TD_CTLS), 1);
	assert_status(guest_tdcall(h, (struct seam_regs)VM_WR(TD_CTLS, 2, 3)), TDX_SUCCESS);
	assert_int_equal(guest_cpu(h)->gpr.r8, 1);
	assert_int_equal(vm_rd(h, TD_CTLS), 2);
	assert_status(guest_tdcall(h, (struct seam_regs)VM_WR(NOTIFY_ENABLES, 1, 1)),
		      TDX_SUCCESS);
	assert_int_equal(vm_rd(h, NOTIFY_ENABLES), 1);
}

static void vm_fields_in_order(void **state)
{
	struct seam_regs in = { .rax = 7 | 1 << 16, .rdx = FIELD_NULL };
	struct host *h = *state;
	unsigned int nr = 0;

	guest_run_64bit(h);
	assert_status(guest_tdcall(h, in), TDX_METADATA_FIRST_FIELD_ID_IN_CONTEXT);
	while (guest_cpu(h)->gpr.rdx != FIELD_NULL) {
		in.rdx = guest_cpu(h)->gpr.rdx;
		assert_status(guest_tdcall(h, in), TDX_SUCCESS);
		assert_int_not_equal(guest_cpu(h)->gpr.rdx, in.rdx);
		assert_true(++nr <= 8);
	}
	assert_int_equal(nr, 8);
}

/* Without NO_RBP_MOD, RBP is one of the registers that may go to the host. */
static void vmcall_rbp(void **state)
{
	struct host *h = *state;

	guest_run_64bit(h);
	may_use_rbp(h, NULL);
	guest_cpu(h)->gpr = (struct seam_regs){ .rcx = 1 << 5, .rbp = 0x77 };
	assert_int_equal(STOP_AT(h, GUEST_STOP_UNDEFINED, INSN_TDCALL), SEAM_END_DONE);
	assert_status(guest_result.regs.rax, VMX_TDCALL);
	assert_int_equal(guest_result.regs.rbp, 0x77);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		host_test(who_may),
		host_test(info),
		host_test(veinfo),
		host_test(extend),
		host_test(operand_absent),
		host_test(operand_pending),
		host_test(accept),
		host_test(vm_fields),
		host_test(vm_fields_in_order),
		host_test(vmcall_rbp),
	};

	return run_tdcall_rows() + cmocka_run_group_tests_name("tdcall", tests, NULL, NULL);
}
