// SPDX-License-Identifier: GPL-2.0-only
/* Exceptions, interrupts and NMIs of a guest, and its local APIC. */
#include <string.h>

#include "guest_host.h"

static struct guest_event exception(uint8_t vector)
{
	return (struct guest_event){ .valid = true, .vector = vector,
				     .type = GUEST_EVENT_EXCEPTION };
}

static struct guest_event interrupt(uint8_t vector)
{
	return (struct guest_event){ .valid = true, .vector = vector,
				     .type = GUEST_EVENT_INTERRUPT };
}

static const struct guest_event *injected(struct host *h)
{
	return &seam_guest(h->seam, 0)->inject;
}

/* An exception of the guest's own, while @vectoring was being delivered. */
static enum seam_end fault_during(struct host *h, struct guest_event vectoring, uint8_t vector)
{
	struct guest_exit exit = { .why = GUEST_STOP_UNDEFINED, .vectoring = vectoring };

	if (vector == VECTOR_GP)
		exit.why = GUEST_STOP_RDPMC;
	guest_cpu(h)->rip = GPA_CODE;
	memcpy(guest_mem(h, GPA_CODE), INSN_UD2, 2);
	if (vector == VECTOR_VE) {
		exit.why = GUEST_STOP_HLT;
		memcpy(guest_mem(h, GPA_CODE), INSN_HLT, 1);
	}
	guest_vcpu(h)->ve.valid = false;
	return guest_stop(h, exit);
}

/* SDM, volume 3: two contributory exceptions, or any behind a page fault. */
static void double_faults(void **state)
{
	static const struct {
		uint8_t first, second;
		bool is_double;
	} rows[] = {
		{ VECTOR_GP, VECTOR_GP, true }, { VECTOR_GP, VECTOR_VE, false },
		{ VECTOR_GP, VECTOR_UD, false }, { VECTOR_NP, VECTOR_GP, true },
		{ VECTOR_PF, VECTOR_GP, true }, { VECTOR_PF, VECTOR_VE, true },
		{ VECTOR_PF, VECTOR_UD, false }, { VECTOR_VE, VECTOR_GP, true },
		{ VECTOR_VE, VECTOR_VE, true }, { VECTOR_UD, VECTOR_GP, false },
		{ VECTOR_DB, VECTOR_VE, false }, { VECTOR_DE, VECTOR_GP, true },
		{ VECTOR_TS, VECTOR_GP, true }, { VECTOR_TS, VECTOR_VE, false },
	};
	struct host *h = *state;

	guest_run_64bit(h);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		assert_int_equal(fault_during(h, exception(rows[i].first), rows[i].second),
				 SEAM_END_RUN_GUEST);
		assert_exception(h, rows[i].is_double ? VECTOR_DF : rows[i].second);
	}
}

static void triple_fault(void **state)
{
	struct host *h = *state;

	guest_run_64bit(h);
	assert_int_equal(fault_during(h, exception(VECTOR_DF), VECTOR_GP), SEAM_END_DONE);
	assert_status(guest_result.regs.rax, TDX_NON_RECOVERABLE_VCPU | VMX_TRIPLE_FAULT);
	assert_int_equal(host_vcpu(h)->state, VCPU_DISABLED);
}

/* A second #VE before the guest took what the first was about. */
static void ve_info_in_use(void **state)
{
	struct host *h = *state;

	guest_run_64bit(h);
	STOP_AT(h, GUEST_STOP_HLT, INSN_HLT);
	assert_ve(h, VMX_HLT, 0, 1);
	STOP_AT(h, GUEST_STOP_CACHE, INSN_WBINVD);
	assert_exception(h, VECTOR_DF);
	/* It is still the first. */
	assert_int_equal(guest_vcpu(h)->ve.reason, VMX_HLT);
}

/* What was being delivered when the guest stopped comes again. */
static void vectoring(void **state)
{
	struct guest_exit exit = { .why = GUEST_STOP_MEMORY, .gpa = GPA_FREE, .read = true };
	struct host *h = *state;

	guest_run_64bit(h);
	exit.vectoring = interrupt(0x51);
	assert_int_equal(guest_stop(h, exit), SEAM_END_DONE);
	guest_enter(h);
	assert_true(injected(h)->valid);
	assert_int_equal(injected(h)->vector, 0x51);
	assert_int_equal(injected(h)->type, GUEST_EVENT_INTERRUPT);
	/* Once. */
	guest_reenter(h);
	assert_false(injected(h)->valid);
}

/* An interrupt that gives way to an exception waits where it came from. */
static void interrupt_gives_way(void **state)
{
	struct vapic *apic;
	struct host *h = *state;

	guest_run_64bit(h);
	apic = &guest_vcpu(h)->apic;
	apic->isr[2] = 1 << 17;
	assert_int_equal(fault_during(h, interrupt(0x51), VECTOR_GP), SEAM_END_RUN_GUEST);
	assert_exception(h, VECTOR_GP);
	assert_int_equal(apic->isr[2], 0);
	assert_int_equal(apic->irr[2], 1 << 17);
}

static void nmi_gives_way(void **state)
{
	struct guest_event nmi = { .valid = true, .vector = VECTOR_NMI,
				   .type = GUEST_EVENT_NMI };
	struct host *h = *state;

	guest_run_64bit(h);
	guest_vcpu(h)->nmi_blocked = true;
	assert_int_equal(fault_during(h, nmi, VECTOR_GP), SEAM_END_RUN_GUEST);
	assert_exception(h, VECTOR_GP);
	assert_true(host_vcpu(h)->pend_nmi);
	assert_false(guest_vcpu(h)->nmi_blocked);
}

static void pend_nmi(struct host *h)
{
	td_must(h, 0, (struct seam_regs){ .rax = TDH_VP_WR, .rcx = TDVPR(0),
					  .rdx = 0x200000000000000B, .r8 = 1, .r9 = 0xFF });
}

static void assert_nmi(struct host *h)
{
	assert_true(injected(h)->valid);
	assert_int_equal(injected(h)->type, GUEST_EVENT_NMI);
	assert_int_equal(injected(h)->vector, VECTOR_NMI);
	assert_false(host_vcpu(h)->pend_nmi);
}

static void nmi(void **state)
{
	struct host *h = *state;

	guest_run_64bit(h);
	guest_leave_quietly(h);
	pend_nmi(h);
	guest_enter(h);
	assert_nmi(h);
	assert_true(seam_guest(h->seam, 0)->stop_at_iret);
	guest_leave_quietly(h);

	/* Another one waits for the end of the first. */
	pend_nmi(h);
	guest_enter(h);
	assert_false(injected(h)->valid);
	assert_true(host_vcpu(h)->pend_nmi);
	assert_int_equal(guest_stop(h, (struct guest_exit){ .why = GUEST_STOP_IRET }),
			 SEAM_END_RUN_GUEST);
	assert_nmi(h);
}

/* Between #VE and the guest's look at VE_INFO an NMI would lose it. */
static void nmi_waits(void **state)
{
	struct host *h = *state;

	guest_run_64bit(h);
	guest_leave_quietly(h);
	pend_nmi(h);
	guest_vcpu(h)->ve.valid = true;
	guest_enter(h);
	assert_false(injected(h)->valid);
	guest_vcpu(h)->ve.valid = false;
	guest_cpu(h)->interrupt_shadow = true;
	guest_reenter(h);
	assert_false(injected(h)->valid);
	guest_cpu(h)->interrupt_shadow = false;
	guest_reenter(h);
	assert_nmi(h);
	assert_false(seam_guest(h->seam, 0)->interrupt_class);
}

/* What Linux sets up for a vCPU. */
static struct posted *posted_setup(struct host *h)
{
	struct posted *p = (struct posted *)host_mem(h, PID);
	struct vcpu_vmcs *vmcs = &host_vcpu(h)->vmcs;

	memset(p, 0, sizeof(*p));
	atomic_store(&vmcs->posted_vector, 0xF2);
	atomic_store(&vmcs->pid_address, PID);
	atomic_store(&vmcs->pin_controls, PIN_CONTROLS_INITIAL | PIN_PROCESS_POSTED_INTERRUPTS);
	return p;
}

static void post(struct posted *p, uint8_t vector)
{
	atomic_fetch_or(&p->requests[vector / 32], 1U << vector % 32);
	atomic_fetch_or(&p->control, POSTED_OUTSTANDING);
}

static void posted_interrupt(void **state)
{
	struct host *h = *state;
	struct vapic *apic;
	struct posted *p;

	guest_run_64bit(h);
	apic = &guest_vcpu(h)->apic;
	p = posted_setup(h);
	guest_leave_quietly(h);
	post(p, 0x31);
	post(p, 0xEC);

	/* Interrupts are off: say when one can be taken. */
	guest_enter(h);
	assert_false(injected(h)->valid);
	assert_int_equal(seam_guest(h->seam, 0)->interrupt_class, 0xE);
	assert_int_equal(p->requests[0xEC / 32] | p->requests[1] | p->control, 0);
	guest_cpu(h)->rflags |= RFLAGS_IF;
	assert_int_equal(guest_stop(h, (struct guest_exit){
					.why = GUEST_STOP_INTERRUPT_WINDOW }),
			 SEAM_END_RUN_GUEST);
	assert_true(injected(h)->valid);
	assert_int_equal(injected(h)->vector, 0xEC);
	assert_int_equal(injected(h)->type, GUEST_EVENT_INTERRUPT);
	/* The other is below what is in service. */
	assert_int_equal(seam_guest(h->seam, 0)->interrupt_class, 0);

	vapic_eoi(apic);
	guest_reenter(h);
	assert_int_equal(injected(h)->vector, 0x31);
}

/* Requests without the notification are the host's still. */
static void posted_without_notification(void **state)
{
	struct host *h = *state;
	struct posted *p;

	guest_run_64bit(h);
	p = posted_setup(h);
	post(p, 0x31);
	atomic_store(&p->control, 0);
	guest_reenter(h);
	assert_int_equal(p->requests[1], 1 << 17);
	assert_int_equal(vapic_deliverable(&guest_vcpu(h)->apic), -1);
	/* Nor does the module look without being told to. */
	post(p, 0x31);
	atomic_store(&host_vcpu(h)->vmcs.pin_controls, PIN_CONTROLS_INITIAL);
	guest_reenter(h);
	assert_int_equal(p->control, POSTED_OUTSTANDING);
	/* A descriptor outside RAM is no descriptor. */
	posted_setup(h);
	atomic_store(&host_vcpu(h)->vmcs.pid_address, 3 * GB);
	guest_reenter(h);
	assert_int_equal(vapic_deliverable(&guest_vcpu(h)->apic), -1);
}

static void interrupt_shadow(void **state)
{
	struct host *h = *state;

	guest_run_64bit(h);
	vapic_request(&guest_vcpu(h)->apic, 0x41);
	guest_cpu(h)->rflags |= RFLAGS_IF;
	guest_cpu(h)->interrupt_shadow = true;
	guest_reenter(h);
	assert_false(injected(h)->valid);
	assert_int_equal(seam_guest(h->seam, 0)->interrupt_class, 4);
	guest_cpu(h)->interrupt_shadow = false;
	guest_reenter(h);
	assert_int_equal(injected(h)->vector, 0x41);
}

static void cr8_is_tpr(void **state)
{
	struct host *h = *state;

	guest_run_64bit(h);
	guest_vcpu(h)->apic.tpr = 0x5A;
	guest_reenter(h);
	assert_int_equal(guest_cpu(h)->cr8, 5);
}

/* Each vector goes its way from request to end. */
static void vectors(void **state)
{
	struct vapic apic = { 0 };

	(void)state;
	assert_int_equal(vapic_deliverable(&apic), -1);
	for (unsigned int v = 16; v < VAPIC_VECTORS; v++)
		vapic_request(&apic, (uint8_t)v);
	for (unsigned int v = VAPIC_VECTORS; v-- > 16;) {
		assert_int_equal(vapic_deliverable(&apic), v);
		vapic_deliver(&apic, (uint8_t)v);
		assert_int_equal(vapic_priority(&apic), v & 0xF0);
		/* Nothing of the same class comes before its end. */
		assert_int_equal(vapic_deliverable(&apic), -1);
		vapic_undeliver(&apic, (uint8_t)v);
		assert_int_equal(vapic_deliverable(&apic), v);
		vapic_deliver(&apic, (uint8_t)v);
		vapic_eoi(&apic);
		assert_int_equal(vapic_priority(&apic), 0);
	}
	assert_int_equal(vapic_deliverable(&apic), -1);
	/* An end of nothing is nothing. */
	vapic_eoi(&apic);
	assert_int_equal(vapic_priority(&apic), 0);
}

static void priorities(void **state)
{
	struct vapic apic = { 0 };

	(void)state;
	vapic_request(&apic, 0x35);
	for (unsigned int tpr = 0; tpr < 256; tpr++) {
		apic.tpr = (uint8_t)tpr;
		assert_int_equal(vapic_priority(&apic), tpr);
		assert_int_equal(vapic_deliverable(&apic), tpr < 0x30 ? 0x35 : -1);
	}
	/* A higher one interrupts the handler of a lower one. */
	apic.tpr = 0x28;
	vapic_deliver(&apic, 0x35);
	vapic_request(&apic, 0x3F);
	assert_int_equal(vapic_deliverable(&apic), -1);
	vapic_request(&apic, 0x40);
	assert_int_equal(vapic_deliverable(&apic), 0x40);
	vapic_deliver(&apic, 0x40);
	assert_int_equal(vapic_priority(&apic), 0x40);
	vapic_eoi(&apic);
	assert_int_equal(vapic_priority(&apic), 0x30);
	vapic_eoi(&apic);
	assert_int_equal(vapic_priority(&apic), 0x28);
	assert_int_equal(vapic_deliverable(&apic), 0x3F);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		host_test(double_faults),
		host_test(triple_fault),
		host_test(ve_info_in_use),
		host_test(vectoring),
		host_test(interrupt_gives_way),
		host_test(nmi_gives_way),
		host_test(nmi),
		host_test(nmi_waits),
		host_test(posted_interrupt),
		host_test(posted_without_notification),
		host_test(interrupt_shadow),
		host_test(cr8_is_tpr),
		cmocka_unit_test(vectors),
		cmocka_unit_test(priorities),
	};

	return cmocka_run_group_tests_name("guest_event", tests, NULL, NULL);
}
