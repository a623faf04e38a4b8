// SPDX-License-Identifier: GPL-2.0-only
/* Registers and exits, to and from a VMCB. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "vmcb.h"

static const struct vmcb_tables tables = { 0x1000, 0x5000, 0x8000 };

static void fill(void *to, size_t len)
{
	for (size_t i = 0; i < len; i++)
		((uint8_t *)to)[i] = (uint8_t)(i * 29 + 7);
}

/* A 64-bit guest with something different in each register. */
static void some_registers(struct guest_cpu *r)
{
	fill(r, sizeof(*r));
	for (unsigned int i = 0; i < NR_GUEST_SEGS; i++)
		r->seg[i].ar = 0xC093 + (i == SEG_SS ? 0x60 : 0);
	r->seg[SEG_CS].ar = 0xA0FB;
	r->seg[SEG_GS].ar = SEG_AR_UNUSABLE;
	r->ldtr.ar = SEG_AR_UNUSABLE;
	r->tr.ar = 0x8B;
	r->cr0 = 0x80000031;
	r->efer = 0xD01;
	r->cr8 = 9;
	r->interrupt_shadow = true;
}

/* What is not in a VMCB, as the world switch moves it. */
static void copy_rest(struct guest_cpu *to, const struct guest_cpu *from)
{
	uint64_t rax = to->gpr.rax;

	to->gpr = from->gpr;
	to->gpr.rax = rax;
	to->xcr0 = from->xcr0;
	to->cr8 = from->cr8;
	to->tsc_aux = from->tsc_aux;
	memcpy(to->dr, from->dr, sizeof(to->dr));
	memcpy(to->xsave, from->xsave, sizeof(to->xsave));
}

static void round_trip(void **state)
{
	struct guest_run run = { .xfam = 7 };
	struct guest_cpu back;
	struct guest_exit exit;
	struct vmcb vmcb;

	(void)state;
	some_registers(&run.cpu);
	memset(&vmcb, 0, sizeof(vmcb));
	vmcb_load(&vmcb, &run, &tables);
	assert_int_equal(vmcb.control.iopm, 0x1000);
	assert_int_equal(vmcb.control.msrpm, 0x5000);
	assert_int_equal(vmcb.control.nested_cr3, 0x8000);
	assert_int_equal(vmcb.control.asid, 1);
	assert_int_equal(vmcb.control.int_control & 0xF, 9);
	assert_int_equal(vmcb.save.efer, 0x1D01);
	assert_int_equal(vmcb.save.cpl, 3);

	memset(&back, 0xEE, sizeof(back));
	memcpy(&back, &run.cpu, sizeof(back));
	back.rip = back.cr3 = back.seg[SEG_CS].base = 0;
	vmcb_save(&vmcb, &back, &exit);
	copy_rest(&back, &run.cpu);
	/* Padding apart: field by field where there is some. */
	assert_int_equal(back.rip, run.cpu.rip);
	assert_int_equal(back.rsp, run.cpu.rsp);
	assert_int_equal(back.rflags, run.cpu.rflags);
	assert_int_equal(back.gpr.rax, run.cpu.gpr.rax);
	for (unsigned int i = 0; i < NR_GUEST_SEGS; i++) {
		assert_int_equal(back.seg[i].selector, run.cpu.seg[i].selector);
		assert_int_equal(back.seg[i].ar, run.cpu.seg[i].ar);
		assert_int_equal(back.seg[i].limit, run.cpu.seg[i].limit);
		assert_int_equal(back.seg[i].base, run.cpu.seg[i].base);
	}
	assert_int_equal(back.ldtr.ar, SEG_AR_UNUSABLE);
	assert_int_equal(back.tr.ar, 0x8B);
	assert_int_equal(back.tr.base, run.cpu.tr.base);
	assert_int_equal(back.gdtr.base, run.cpu.gdtr.base);
	assert_int_equal(back.idtr.limit, run.cpu.idtr.limit);
	assert_int_equal(back.cr0, run.cpu.cr0);
	assert_int_equal(back.cr2, run.cpu.cr2);
	assert_int_equal(back.cr3, run.cpu.cr3);
	assert_int_equal(back.cr4, run.cpu.cr4);
	assert_int_equal(back.efer, run.cpu.efer);
	assert_int_equal(back.dr6, run.cpu.dr6);
	assert_int_equal(back.dr7, run.cpu.dr7);
	assert_int_equal(back.star, run.cpu.star);
	assert_int_equal(back.lstar, run.cpu.lstar);
	assert_int_equal(back.cstar, run.cpu.cstar);
	assert_int_equal(back.fmask, run.cpu.fmask);
	assert_int_equal(back.kernel_gs_base, run.cpu.kernel_gs_base);
	assert_int_equal(back.sysenter_cs, run.cpu.sysenter_cs);
	assert_int_equal(back.sysenter_esp, run.cpu.sysenter_esp);
	assert_int_equal(back.sysenter_eip, run.cpu.sysenter_eip);
	assert_true(back.interrupt_shadow);
}

/* The guest sees LME from the start; the CPU gets it with paging. */
static void efer_without_paging(void **state)
{
	struct guest_run run = { .cpu = { .cr0 = 0x21, .efer = 0x901 } };
	struct guest_exit exit;
	struct vmcb vmcb;

	(void)state;
	memset(&vmcb, 0, sizeof(vmcb));
	vmcb_load(&vmcb, &run, &tables);
	assert_int_equal(vmcb.save.efer, 0x1801);
	vmcb_save(&vmcb, &run.cpu, &exit);
	assert_int_equal(run.cpu.efer, 0x901);
}

static void events(void **state)
{
	static const struct guest_event all[] = {
		{ .valid = true, .vector = 0x41, .type = GUEST_EVENT_INTERRUPT },
		{ .valid = true, .vector = 2, .type = GUEST_EVENT_NMI },
		{ .valid = true, .vector = 20, .type = GUEST_EVENT_EXCEPTION },
		{ .valid = true, .vector = 14, .type = GUEST_EVENT_EXCEPTION, .has_error = true,
		  .error = 7 },
		{ .valid = false },
	};
	static const uint32_t want[] = { 0x80000041, 0x80000202, 0x80000314, 0x80000B0E, 0 };

	(void)state;
	for (unsigned int i = 0; i < 5; i++) {
		struct guest_run run = { .inject = all[i] };
		struct guest_exit exit;
		struct vmcb vmcb;

		memset(&vmcb, 0, sizeof(vmcb));
		vmcb_load(&vmcb, &run, &tables);
		assert_int_equal(vmcb.control.event, want[i]);
		assert_int_equal(vmcb.control.event_error, all[i].error);
		/* Not delivered: it comes back. */
		vmcb.control.exit_int_info = vmcb.control.event;
		vmcb.control.exit_int_error = vmcb.control.event_error;
		vmcb_save(&vmcb, &run.cpu, &exit);
		assert_int_equal(exit.vectoring.valid, all[i].valid);
		assert_int_equal(exit.vectoring.vector, all[i].vector);
		assert_int_equal(exit.vectoring.type, all[i].type);
		assert_int_equal(exit.vectoring.has_error, all[i].has_error);
		assert_int_equal(exit.vectoring.error, all[i].error);
	}
}

/* INT3 did not move the instruction pointer: it is executed again, not injected. */
static void software_events(void **state)
{
	static const uint32_t infos[] = { 0x80000403, 0x80000404, 0x80000480 };
	struct guest_run run = { .cpu.rip = 0x1000 };

	(void)state;
	for (unsigned int i = 0; i < 3; i++) {
		struct guest_exit exit;
		struct vmcb vmcb;

		memset(&vmcb, 0, sizeof(vmcb));
		vmcb_load(&vmcb, &run, &tables);
		vmcb.control.exit_code = 0x400;
		vmcb.control.exit_int_info = infos[i];
		vmcb_save(&vmcb, &run.cpu, &exit);
		assert_false(exit.vectoring.valid);
		assert_int_equal(run.cpu.rip, 0x1000);
		run.inject = exit.vectoring;
		vmcb_load(&vmcb, &run, &tables);
		assert_int_equal(vmcb.control.event, 0);
	}
}

/* The guest's, and unknown to the CPU that runs it. */
static void pcide(void **state)
{
	struct guest_run run = { .cpu.cr4 = 0x6F0 | CR4_PCIDE };
	struct guest_exit exit;
	struct vmcb vmcb;

	(void)state;
	memset(&vmcb, 0, sizeof(vmcb));
	vmcb_load(&vmcb, &run, &tables);
	assert_int_equal(vmcb.save.cr4, 0x6F0);
	vmcb_save(&vmcb, &run.cpu, &exit);
	assert_int_equal(run.cpu.cr4, 0x6F0 | CR4_PCIDE);
}

static void interrupt_window(void **state)
{
	struct guest_run run = { .interrupt_class = 0xB };
	struct vmcb vmcb;

	(void)state;
	memset(&vmcb, 0, sizeof(vmcb));
	vmcb_load(&vmcb, &run, &tables);
	/* V_IRQ, its priority, V_INTR_MASKING. */
	assert_int_equal(vmcb.control.int_control, 1 << 8 | 0xB << 16 | 1 << 24);
	run.interrupt_class = 0;
	vmcb_load(&vmcb, &run, &tables);
	assert_int_equal(vmcb.control.int_control, 1 << 24);
}

static bool stops_at(const struct vmcb *vmcb, unsigned int code)
{
	return vmcb->control.intercepts[(code - 0x60) / 32] >> (code - 0x60) % 32 & 1;
}

static void intercepts(void **state)
{
	static const uint8_t all[] = {
		0x60, 0x61, 0x62, 0x63, 0x64, 0x65, 0x6E, 0x6F, 0x72, 0x76, 0x78, 0x7A, 0x7B, 0x7C,
		0x7F, 0x80, 0x81, 0x82, 0x83, 0x84, 0x85, 0x86, 0x87, 0x89, 0x8A, 0x8B,
	};
	struct guest_run run = { 0 };
	unsigned int found = 0;
	struct vmcb vmcb;

	(void)state;
	memset(&vmcb, 0, sizeof(vmcb));
	vmcb_load(&vmcb, &run, &tables);
	for (unsigned int i = 0; i < sizeof(all); i++)
		assert_true(stops_at(&vmcb, all[i]));
	for (unsigned int code = 0x60; code < 0xA0; code++)
		found += stops_at(&vmcb, code);
	assert_int_equal(found, sizeof(all));
	assert_int_equal(vmcb.control.intercept_cr_write, 0x110);
	assert_int_equal(vmcb.control.intercept_exceptions, 1 << 6);
	run.stop_at_iret = true;
	vmcb_load(&vmcb, &run, &tables);
	assert_true(stops_at(&vmcb, 0x74));
}

struct exit_row {
	uint64_t code, info1, info2;
	struct guest_exit want;
};

static const struct exit_row exits[] = {
	{ 0x60, .want = { .why = GUEST_STOP_HOST_EVENT } },
	{ 0x61, .want = { .why = GUEST_STOP_HOST_EVENT } },
	{ 0x62, .want = { .why = GUEST_STOP_HOST_EVENT } },
	{ 0x63, .want = { .why = GUEST_STOP_INIT } },
	{ 0x64, .want = { .why = GUEST_STOP_INTERRUPT_WINDOW } },
	{ 0x65, .want = { .why = GUEST_STOP_CR } },
	{ 0x14, .want = { .why = GUEST_STOP_CR, .cr = 4 } },
	{ 0x18, .want = { .why = GUEST_STOP_CR, .cr = 8 } },
	{ 0x46, .want = { .why = GUEST_STOP_UNDEFINED } },
	{ 0x80, .want = { .why = GUEST_STOP_UNDEFINED } },
	{ 0x86, .want = { .why = GUEST_STOP_UNDEFINED } },
	{ 0x6E, .want = { .why = GUEST_STOP_RDTSC } },
	{ 0x87, .want = { .why = GUEST_STOP_RDTSC } },
	{ 0x6F, .want = { .why = GUEST_STOP_RDPMC } },
	{ 0x72, .want = { .why = GUEST_STOP_CPUID } },
	{ 0x74, .want = { .why = GUEST_STOP_IRET } },
	{ 0x76, .want = { .why = GUEST_STOP_CACHE } },
	{ 0x89, .want = { .why = GUEST_STOP_CACHE } },
	{ 0x78, .want = { .why = GUEST_STOP_HLT } },
	{ 0x7C, .want = { .why = GUEST_STOP_MSR } },
	{ 0x7F, .want = { .why = GUEST_STOP_TRIPLE_FAULT } },
	{ 0x8A, .want = { .why = GUEST_STOP_MONITOR } },
	{ ~0ULL, .want = { .why = GUEST_STOP_BAD_STATE } },
	{ 0x4D, .want = { .why = GUEST_STOP_BAD_STATE } },
	{ 0x7B, 0x3F80011, 0x1002, { .why = GUEST_STOP_IO, .port = 0x3F8, .io_bytes = 1,
				     .io_in = true } },
	{ 0x7B, 0xCF80040, 0, { .why = GUEST_STOP_IO, .port = 0xCF8, .io_bytes = 4 } },
	{ 0x7B, 0x1F0002C, 0, { .why = GUEST_STOP_IO, .port = 0x1F0, .io_bytes = 2,
				.io_string = true, .io_rep = true } },
	{ 0x400, 1ULL << 32 | 4, 0x1234000, { .why = GUEST_STOP_MEMORY, .gpa = 0x1234000,
					      .read = true } },
	{ 0x400, 1ULL << 32 | 6, 0x1234008, { .why = GUEST_STOP_MEMORY, .gpa = 0x1234008,
					      .write = true } },
	{ 0x400, 1ULL << 32 | 0x14, 0x5000, { .why = GUEST_STOP_MEMORY, .gpa = 0x5000,
					      .fetch = true } },
	{ 0x400, 1ULL << 33 | 6, 0x6000, { .why = GUEST_STOP_MEMORY, .gpa = 0x6000,
					   .read = true, .write = true,
					   .page_table = true } },
};

static void exit_reasons(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(exits) / sizeof(exits[0]); i++) {
		struct vmcb vmcb = { .control = { .exit_code = exits[i].code,
						  .exit_info1 = exits[i].info1,
						  .exit_info2 = exits[i].info2 } };
		const struct guest_exit *w = &exits[i].want;
		struct guest_cpu cpu = { 0 };
		struct guest_exit e;

		vmcb_save(&vmcb, &cpu, &e);
		assert_int_equal(e.why, w->why);
		assert_int_equal(e.gpa, w->gpa);
		assert_int_equal(e.read << 2 | e.write << 1 | e.fetch,
				 w->read << 2 | w->write << 1 | w->fetch);
		assert_int_equal(e.page_table, w->page_table);
		assert_int_equal(e.port, w->port);
		assert_int_equal(e.io_bytes, w->io_bytes);
		assert_int_equal(e.io_in << 2 | e.io_string << 1 | e.io_rep,
				 w->io_in << 2 | w->io_string << 1 | w->io_rep);
		assert_int_equal(e.cr, w->cr);
	}
}

static bool msr_passes(const uint8_t *msrpm, uint32_t msr)
{
	uint32_t bit = (msr & 0x1FFF) * 2 + (msr >> 31 ? 2048 * 8 : 0);

	return !(msrpm[bit / 8] >> bit % 8 & 3);
}

static void permissions(void **state)
{
	static uint8_t iopm[IOPM_BYTES], msrpm[MSRPM_BYTES];
	unsigned int pass = 0;

	(void)state;
	vmcb_init_permissions(iopm, msrpm);
	for (size_t i = 0; i < sizeof(iopm); i++)
		assert_int_equal(iopm[i], 0xFF);
	for (uint32_t n = 0; n < 0x2000; n++)
		pass += msr_passes(msrpm, n) + msr_passes(msrpm, 0xC0000000 + n);
	assert_int_equal(pass, 10);
	/* TSC_AUX may be read only. */
	assert_int_equal(msrpm[2048 + 0x103 / 4] >> 0x103 % 4 * 2 & 3, 2);
	assert_true(msr_passes(msrpm, 0x174));
	assert_true(msr_passes(msrpm, 0xC0000082));
	assert_true(msr_passes(msrpm, 0xC0000101));
	assert_false(msr_passes(msrpm, 0xC0000080));
	assert_false(msr_passes(msrpm, 0x10));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(round_trip),
		cmocka_unit_test(efer_without_paging),
		cmocka_unit_test(events),
		cmocka_unit_test(software_events),
		cmocka_unit_test(pcide),
		cmocka_unit_test(interrupt_window),
		cmocka_unit_test(intercepts),
		cmocka_unit_test(exit_reasons),
		cmocka_unit_test(permissions),
	};

	return cmocka_run_group_tests_name("vmcb", tests, NULL, NULL);
}
