// SPDX-License-Identifier: GPL-2.0-only
/* TDH.VP.RD and TDH.VP.WR: preconditions, and each field. */
#include <string.h>

#include "field_id.h"
#include "guest_host.h"
#include "td_twists.h"

/* As Linux makes them. */
#define POSTED_VECTOR	0x0000000000000002ULL
#define PID_ADDRESS	0x0000000000002016ULL
#define SHARED_EPTP	0x000000000000203CULL
#define PIN_CONTROLS	0x0000000000004000ULL
#define STATE_DETAILS	0x9100000000000100ULL
#define PEND_NMI	0x200000000000000BULL

#define RD()		{ .rax = TDH_VP_RD, .rcx = TDVPR(0), .rdx = STATE_DETAILS }
#define WR_OF(field, value, mask) \
	{ .rax = TDH_VP_WR, .rcx = TDVPR(0), .rdx = (field), .r8 = (value), .r9 = (mask) }
#define WR()		WR_OF(PEND_NMI, 1, 0xFF)
#define WR_VECTOR()	WR_OF(POSTED_VECTOR, 0xF2, 0xFFFF)
#define WR_PID()	WR_OF(PID_ADDRESS, 0x1234540, ~0ULL)
#define WR_EPTP()	WR_OF(SHARED_EPTP, 0x1234000, ~0ULL)
#define WR_PIN()	WR_OF(PIN_CONTROLS, 0x80, 0x80)

TWIST(few_vcpu_pages, host_vcpu(h)->nr_tdcx--)
TWIST(vcpu_disabled, host_vcpu(h)->state = VCPU_DISABLED)
TWIST(elsewhere, host_vcpu(h)->lp = 3)
TWIST(pages_and_state, few_vcpu_pages(h, in); host_vcpu(h)->state = VCPU_UNINIT)
TWIST(state_and_elsewhere, elsewhere(h, in); host_vcpu(h)->state = VCPU_UNINIT)
TWIST(elsewhere_and_field, elsewhere(h, in); in->rdx = 0x3000)
TWIST(field_unknown, in->rdx = 0x3000)
TWIST(field_last_element, in->rdx |= 1ULL << 34)
TWIST(field_last_field, in->rdx |= 1ULL << 38)
TWIST(field_null, in->rdx = FIELD_NULL)
TWIST(mask_empty, in->r9 = 0)
TWIST(mask_outside, in->r9 = 0x2)
TWIST(read_only, in->rdx = STATE_DETAILS)
TWIST(vector_256, in->r8 = 256)
TWIST(pid_private, in->r8 |= TD_KEYID(TD_HKID))
TWIST(pid_above_maxpa, in->r8 |= TD_KEYID(64))
TWIST(eptp_private, in->r8 |= TD_KEYID(HOST_HKID))
TWIST(vector_only, td_must(h, 0, (struct seam_regs)WR_VECTOR()))
TWIST(pid_only, td_must(h, 0, (struct seam_regs)WR_PID()))
TWIST(vector_and_pid, vector_only(h, in); pid_only(h, in))

#define ROW(twist_, in_, status_) ROW_AT("", twist_, TD_VCPU, in_, status_)
#define WR_ROW(twist_, in_, status_) ROW_AT("wr_", twist_, TD_VCPU, in_, status_)

static const struct td_row rd_rows[] = {
	{ "rd", .stage = TD_VCPU, .in = RD() },
	{ "rd_runnable", .stage = TD_RUNNABLE, .in = RD() },
	{ "rd_disabled", .stage = TD_VCPU, .twist = vcpu_disabled, .in = RD() },
	{ "rd_shared", .stage = TD_VCPU, .twist = rcx_shared, .in = RD() },
	{ "rd_tdr_shared", .stage = TD_VCPU, .twist = tdr_locked_shared, .in = RD() },
	CONTROL_SHARED_ROWS(rcx, OPERAND_RCX, TD_VCPU, RD),
	ROW(tdr_locked_exclusive, RD, TDX_OPERAND_BUSY | OPERAND_TDR),
	TD_STATE_ROWS(TD_VCPU, RD),
	OP_LOCKED_ROW(TD_VCPU, RD),
	OP_STATE_ROW(uninit, TD_VCPU, RD),
	ROW(few_vcpu_pages, RD, TDX_TDCX_NUM_INCORRECT),
	{ "rd_uninit", .stage = TD_VCPU_PAGES, .in = RD(),
	  .status = TDX_VCPU_STATE_INCORRECT | VCPU_UNINIT },
	ROW(elsewhere, RD, TDX_VCPU_ASSOCIATED),
	ROW(pages_and_state, RD, TDX_TDCX_NUM_INCORRECT),
	ROW(state_and_elsewhere, RD, TDX_VCPU_STATE_INCORRECT | VCPU_UNINIT),
	ROW(elsewhere_and_field, RD, TDX_VCPU_ASSOCIATED),
	ROW(field_unknown, RD, TDX_METADATA_FIELD_ID_INCORRECT),
	ROW(field_last_element, RD, TDX_METADATA_FIELD_ID_INCORRECT),
	ROW(field_last_field, RD, TDX_METADATA_FIELD_ID_INCORRECT),
	ROW(field_null, RD, TDX_METADATA_FIELD_ID_INCORRECT),
};

static const struct td_row wr_rows[] = {
	{ "wr", .stage = TD_VCPU, .in = WR() },
	{ "wr_runnable", .stage = TD_RUNNABLE, .in = WR() },
	{ "wr_shared", .stage = TD_VCPU, .twist = rcx_shared, .in = WR() },
	CONTROL_SHARED_ROWS(rcx, OPERAND_RCX, TD_VCPU, WR),
	WR_ROW(tdr_locked_exclusive, WR, TDX_OPERAND_BUSY | OPERAND_TDR),
	TD_STATE_ROWS(TD_VCPU, WR),
	OP_LOCKED_ROW(TD_VCPU, WR),
	OP_STATE_ROW(uninit, TD_VCPU, WR),
	WR_ROW(few_vcpu_pages, WR, TDX_TDCX_NUM_INCORRECT),
	{ "wr_uninit", .stage = TD_VCPU_PAGES, .in = WR(),
	  .status = TDX_VCPU_STATE_INCORRECT | VCPU_UNINIT },
	WR_ROW(vcpu_disabled, WR, TDX_VCPU_STATE_INCORRECT | VCPU_DISABLED),
	WR_ROW(elsewhere, WR, TDX_VCPU_ASSOCIATED),
	WR_ROW(field_unknown, WR, TDX_METADATA_FIELD_ID_INCORRECT),
	WR_ROW(field_last_element, WR, TDX_METADATA_FIELD_ID_INCORRECT),
	WR_ROW(field_null, WR, TDX_METADATA_FIELD_ID_INCORRECT),
	WR_ROW(read_only, WR, TDX_METADATA_FIELD_NOT_WRITABLE),
	WR_ROW(mask_empty, WR, TDX_METADATA_FIELD_NOT_WRITABLE),
	WR_ROW(mask_outside, WR, TDX_METADATA_FIELD_NOT_WRITABLE),
	{ "wr_vector", .stage = TD_VCPU, .in = WR_VECTOR() },
	WR_ROW(vector_256, WR_VECTOR, TDX_METADATA_FIELD_VALUE_NOT_VALID),
	{ "wr_pid", .stage = TD_VCPU, .in = WR_PID() },
	WR_ROW(pid_private, WR_PID, TDX_METADATA_FIELD_VALUE_NOT_VALID),
	WR_ROW(pid_above_maxpa, WR_PID, TDX_METADATA_FIELD_VALUE_NOT_VALID),
	{ "wr_eptp", .stage = TD_VCPU, .in = WR_EPTP() },
	WR_ROW(eptp_private, WR_EPTP, TDX_METADATA_FIELD_VALUE_NOT_VALID),
	{ "wr_pin_first", .stage = TD_VCPU, .in = WR_PIN(),
	  .status = TDX_TD_VMCS_FIELD_NOT_INITIALIZED | 0x2 },
	WR_ROW(vector_only, WR_PIN, TDX_TD_VMCS_FIELD_NOT_INITIALIZED | 0x2016),
	WR_ROW(pid_only, WR_PIN, TDX_TD_VMCS_FIELD_NOT_INITIALIZED | 0x2),
	{ "wr_pin_last", .stage = TD_VCPU, .twist = vector_and_pid, .in = WR_PIN() },
};

static uint64_t write(struct host *h, struct seam_regs regs)
{
	host_call_checked(h, 0, &regs);
	assert_status(regs.rax, TDX_SUCCESS);
	return regs.r8;
}

static uint64_t read(struct host *h, uint64_t id)
{
	struct seam_regs regs = { .rax = TDH_VP_RD, .rcx = TDVPR(0), .rdx = id };

	host_call_checked(h, 0, &regs);
	assert_status(regs.rax, TDX_SUCCESS);
	assert_int_equal(regs.rdx, id);
	return regs.r8;
}

/* What Linux writes for a new vCPU; each write tells the value before. */
static void posted_interrupts(void **state)
{
	struct host *h = *state;
	struct vcpu_vmcs *vmcs;

	host_start(h);
	td_goto(h, TD_VCPU);
	vmcs = &host_vcpu(h)->vmcs;
	assert_int_equal(write(h, (struct seam_regs)WR_VECTOR()), 0);
	assert_int_equal(write(h, (struct seam_regs)WR_VECTOR()), 0xF2);
	assert_int_equal(write(h, (struct seam_regs)WR_PID()), 0);
	assert_int_equal(write(h, (struct seam_regs)WR_PIN()), 0x3F);
	assert_int_equal(vmcs->posted_vector, 0xF2);
	assert_int_equal(vmcs->pid_address, 0x1234540);
	assert_int_equal(vmcs->pin_controls, 0xBF);
	assert_int_equal(read(h, PIN_CONTROLS), 0xBF);
	assert_int_equal(read(h, POSTED_VECTOR), 0xF2);
	assert_int_equal(read(h, PID_ADDRESS), 0x1234540);
	/* Off again. */
	assert_int_equal(write(h, (struct seam_regs)WR_OF(PIN_CONTROLS, 0, 0x80)), 0xBF);
	assert_int_equal(vmcs->pin_controls, 0x3F);
}

/* Bits that the host may not write are left alone. */
static void writable_bits(void **state)
{
	struct host *h = *state;

	host_start(h);
	td_goto(h, TD_VCPU);
	write(h, (struct seam_regs)WR_OF(PID_ADDRESS, 0x123457F, ~0ULL));
	assert_int_equal(read(h, PID_ADDRESS), 0x1234540);
	write(h, (struct seam_regs)WR_OF(SHARED_EPTP, 0x123405E, ~0ULL));
	assert_int_equal(read(h, SHARED_EPTP), 0x1234000);
	write(h, (struct seam_regs)WR_OF(SHARED_EPTP, 0x5000, 0xF000));
	assert_int_equal(read(h, SHARED_EPTP), 0x1235000);
}

static void pend_nmi(void **state)
{
	struct host *h = *state;

	host_start(h);
	td_goto(h, TD_VCPU);
	assert_int_equal(write(h, (struct seam_regs)WR()), 0);
	assert_int_equal(write(h, (struct seam_regs)WR()), 1);
	assert_true(host_vcpu(h)->pend_nmi);
	assert_int_equal(read(h, PEND_NMI), 1);
}

/* Is there an interrupt that the guest would take, if it could? */
static void state_details(void **state)
{
	struct posted *posted;
	struct host *h = *state;

	guest_host_start(h);
	td_goto(h, TD_RUNNABLE);
	assert_int_equal(read(h, STATE_DETAILS), 0);
	guest_enter(h);
	guest_leave_quietly(h);
	assert_int_equal(read(h, STATE_DETAILS), 0);

	write(h, (struct seam_regs)WR_VECTOR());
	write(h, (struct seam_regs)WR_OF(PID_ADDRESS, SOURCE, ~0ULL));
	write(h, (struct seam_regs)WR_PIN());
	posted = (struct posted *)host_mem(h, SOURCE);
	memset(posted, 0, sizeof(*posted));
	atomic_store(&posted->requests[1], 1U << 16);
	atomic_store(&posted->control, POSTED_OUTSTANDING);
	guest_enter(h);
	guest_leave_quietly(h);
	assert_int_equal(read(h, STATE_DETAILS), 1);
	assert_int_equal(posted->requests[1], 0);

	/* Not above the priority of the task. */
	host_vcpu(h)->guest->apic.tpr = 0x30;
	assert_int_equal(read(h, STATE_DETAILS), 0);
	host_vcpu(h)->guest->apic.tpr = 0x20;
	assert_int_equal(read(h, STATE_DETAILS), 1);
}

static void fields_in_order(void **state)
{
	struct host *h = *state;
	struct seam_regs regs = { .rax = TDH_VP_RD | 1 << 16, .rcx = TDVPR(0),
				  .rdx = FIELD_NULL };
	unsigned int nr = 0;

	host_start(h);
	td_goto(h, TD_VCPU);
	host_call(h, 0, &regs);
	assert_status(regs.rax, TDX_METADATA_FIRST_FIELD_ID_IN_CONTEXT);
	while (regs.rdx != FIELD_NULL) {
		regs = (struct seam_regs){ .rax = TDH_VP_RD | 1 << 16, .rcx = TDVPR(0),
					   .rdx = regs.rdx };
		host_call_checked(h, 0, &regs);
		assert_status(regs.rax, TDX_SUCCESS);
		nr++;
	}
	assert_int_equal(nr, 6);
}

/* An access takes the vCPU's state to the CPU. */
static void access_associates(void **state)
{
	struct host *h = *state;

	host_start(h);
	td_goto(h, TD_VCPU);
	td_must(h, 0, (struct seam_regs){ .rax = TDH_VP_FLUSH, .rcx = TDVPR(0) });
	td_must(h, 2, (struct seam_regs)RD());
	assert_int_equal(host_vcpu(h)->lp, 2);
	assert_status(host_status(h, 0, (struct seam_regs)RD()), TDX_VCPU_ASSOCIATED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		host_test(posted_interrupts),
		host_test(writable_bits),
		host_test(pend_nmi),
		host_test(state_details),
		host_test(fields_in_order),
		host_test(access_associates),
	};
	int failed = run_td_rows("vp_rd", rd_rows, ARRAY_SIZE(rd_rows));

	failed += run_td_rows("vp_wr", wr_rows, ARRAY_SIZE(wr_rows));
	return failed + cmocka_run_group_tests_name("vp_fields", tests, NULL, NULL);
}
