// SPDX-License-Identifier: GPL-2.0-only
/* From a SEAMCALL into a TD and back, up to the code that the CPU executes. */
#include "td_machine.h"
#include "tsc.h"

/* The world switch finds itself, its data and the host's kernel. */
static void address_space(void **state)
{
	uint64_t cr3;

	(void)state;
	assert_false(td_active(v));
	enter();
	assert_true(td_active(v));
	cr3 = fake.reg[REG_CR3];
	assert_int_equal(walk(cr3, CODE), window_code_pa(window));
	for (unsigned int i = 0; i < 4; i++)
		assert_int_equal(walk(cr3, DATA + i * 4096), window_pa(window, lp()) + i * 4096);
	assert_int_equal(walk(cr3, DATA + 4 * 4096), NOTHING);
	assert_int_equal(table_at(cr3)[KERNEL_SLOT], 0x6003);
	assert_int_equal(fake.reg[REG_RSP], DATA);
	/* No interrupt before the guest runs, and SVM is there. */
	assert_int_equal(fake.reg[REG_EFLAGS], 0x46);
	assert_int_equal(fake.reg[REG_EFER], EFER_LMA | 0x901 | 1 << 12);
}

static void no_page_tables(void **state)
{
	(void)state;
	fake.reg[REG_CR3] = FAKE_RAM_SIZE;
	assert_int_equal(JUMPS(td_enter(v, &site)), FAKE_JUMP_FATAL);
	assert_non_null(strstr(fake.last_report, "page tables of CPU 0, at 0x10000"));
}

static void registers_in(void **state)
{
	struct world *w;

	(void)state;
	model.run.cpu.gpr = (struct seam_regs){
		.rax = 0xa0, .rcx = 0xa1, .rdx = 0xa2, .rbx = 0xa3, .rbp = 0xa5, .rsi = 0xa6,
		.rdi = 0xa7, .r8 = 0xa8, .r9 = 0xa9, .r10 = 0xaa, .r11 = 0xab, .r12 = 0xac,
		.r13 = 0xad, .r14 = 0xae, .r15 = 0xaf,
	};
	model.run.cpu.rip = 0xfffffff0;
	model.run.cpu.dr[2] = 0x77;
	model.run.cpu.tsc_aux = 5;
	model.run.cpu.xcr0 = 3;
	model.run.xfam = 7;
	memset(model.run.cpu.xsave, 0x5a, sizeof(model.run.cpu.xsave));
	enter();
	w = &lp()->world;
	for (unsigned int i = 1; i < NR_WORLD_GPRS; i++)
		assert_int_equal(w->gpr[i], i == GPR_RSP ? 0 : 0xa0 + i);
	assert_int_equal(lp()->guest_vmcb.save.rax, 0xa0);
	assert_int_equal(lp()->guest_vmcb.save.rip, 0xfffffff0);
	assert_int_equal(w->dr[2], 0x77);
	assert_int_equal(w->tsc_aux, 5);
	assert_int_equal(w->xcr0, 3);
	assert_int_equal(w->xfam, 7);
	assert_memory_equal(lp()->xsave, model.run.cpu.xsave, sizeof(lp()->xsave));
	assert_int_equal(w->guest_vmcb, window_pa(window, &lp()->guest_vmcb));
	assert_int_equal(w->host_vmcb, window_pa(window, lp()->host_vmcb));
	assert_int_equal(w->host_save, window_pa(window, lp()->host_save));
}

/* The SEAMCALL is over: the host has what the model says, and its own state. */
static void registers_out(void **state)
{
	(void)state;
	enter();
	guest_stops(0x60, 0, 0);
	lp()->world.gpr[GPR_R12] = 0xbc;
	lp()->guest_vmcb.save.rax = 0xba;
	lp()->world.dr[1] = 0x99;
	lp()->world.xcr0 = 1;
	lp()->xsave[0] = 0x33;
	model.end_of_exit = SEAM_END_DONE;
	model.result.regs = (struct seam_regs){ .rax = 6, .rbp = 0x1005, .r15 = 0xff };
	/* As the CPU is in the world switch. */
	fake.reg[REG_EFLAGS] = 0x46;
	assert_ptr_equal(leave(), &site);
	assert_false(td_active(v));

	assert_int_equal(model.exit.why, GUEST_STOP_HOST_EVENT);
	assert_int_equal(model.run.cpu.gpr.rax, 0xba);
	assert_int_equal(model.run.cpu.gpr.r12, 0xbc);
	assert_int_equal(model.run.cpu.dr[1], 0x99);
	assert_int_equal(model.run.cpu.xcr0, 1);
	assert_int_equal(model.run.cpu.xsave[0], 0x33);
	assert_int_equal(fake.reg[REG_RAX], 6);
	assert_int_equal(fake.reg[REG_RBP], 0x1005);
	assert_int_equal(fake.reg[REG_R15], 0xff);
	assert_int_equal(fake.reg[REG_RBX], 0);
	assert_int_equal(fake.reg[REG_RSP], HOST_RSP);
	assert_int_equal(fake.reg[REG_CR3], HOST_ROOT | 3);
	assert_int_equal(fake.reg[REG_EFER], EFER_LMA | 0x901);
	assert_int_equal(fake.reg[REG_EFLAGS], 0x246);
}

/* What the model handles by itself goes straight back into the guest. */
static void goes_on(void **state)
{
	(void)state;
	enter();
	guest_stops(0x72, 0, 0);
	model.end_of_exit = SEAM_END_RUN_GUEST;
	go_on();
	assert_int_equal(model.exit.why, GUEST_STOP_CPUID);
	assert_true(td_active(v));
}

static void xmm_in(void **state)
{
	uint64_t bv;

	(void)state;
	memset(fake.xmm[3], 0xc3, XMM_BYTES);
	memset(fake.xmm[4], 0xc4, XMM_BYTES);
	memset(model.run.cpu.xsave + XSAVE_XMM, 0x11, NR_XMM * 16);
	model.run.xmm_from_host = 1 << 3;
	enter();
	assert_memory_equal(lp()->xsave + XSAVE_XMM + 3 * 16, fake.xmm[3], 16);
	assert_int_equal(lp()->xsave[XSAVE_XMM + 4 * 16], 0x11);
	memcpy(&bv, lp()->xsave + XSAVE_HEADER, sizeof(bv));
	assert_int_equal(bv, 2);
	assert_int_equal(model.run.xmm_from_host, 0);
}

static void xmm_out(void **state)
{
	static const uint8_t zero[XMM_BYTES];
	uint64_t bv = 2;

	(void)state;
	enter();
	guest_stops(0x60, 0, 0);
	memset(lp()->xsave + XSAVE_XMM, 0x77, NR_XMM * 16);
	memcpy(lp()->xsave + XSAVE_HEADER, &bv, sizeof(bv));
	model.end_of_exit = SEAM_END_DONE;
	model.result.xmm = 1 << 15;
	leave();
	assert_memory_equal(fake.xmm[15], lp()->xsave + XSAVE_XMM, 16);
	assert_memory_equal(fake.xmm[0], zero, 16);

	/* SSE state as after reset: registers are zero whatever lies there. */
	memset(fake.xmm[15], 0, XMM_BYTES);
	enter();
	guest_stops(0x60, 0, 0);
	memset(lp()->xsave + XSAVE_XMM, 0x77, NR_XMM * 16);
	memset(lp()->xsave + XSAVE_HEADER, 0, 8);
	leave();
	assert_memory_equal(fake.xmm[15], zero, 16);
}

/* CPUID is asked once, with the host none the wiser. */
static void probing(void **state)
{
	struct platform *p = site.platform;
	uint64_t tsc = tsc_read() + (UINT64_C(1) << 40);

	(void)state;
	assert_int_equal(JUMPS(td_probe(v, &site)), FAKE_JUMP_PC);
	assert_int_equal(fake.jump_pc, CODE + (uint64_t)(world_probe - world_code));
	assert_memory_equal(lp(), p->probe.entry, p->probe.nr * sizeof(p->probe.entry[0]));
	((struct world_probe *)lp())[1].result[2] = 0x4321;
	memcpy(lp()->world_page + WORLD_PROBE_TSC, &tsc, sizeof(tsc));
	for (unsigned int i = 0; i < REG_GPRS; i++)
		fake.reg[i] = 0;

	assert_int_equal(JUMPS(td_probed(v)), FAKE_JUMP_PC);
	assert_int_equal(fake.jump_pc, site.pc);
	assert_true(p->probe.done);
	assert_int_equal(p->probe.entry[1].result[2], 0x4321);
	assert_true(p->probe.tsc_offset > UINT64_C(1) << 39 &&
		    p->probe.tsc_offset <= UINT64_C(1) << 40);
	assert_false(td_active(v));
	for (unsigned int i = 0; i < REG_GPRS; i++)
		assert_int_equal(fake.reg[i], i == REG_RSP ? HOST_RSP : 0x1000 + i);
	assert_int_equal(fake.reg[REG_CR3], HOST_ROOT | 3);
}

/* Handled with the guest's registers in the CPU: it goes on from what they are now. */
static void resumes(void **state)
{
	(void)state;
	enter();
	guest_stops(0x7B, 0, 0);
	lp()->guest_vmcb.save.rip = 0x1234;
	lp()->world.gpr[GPR_RBX] = 0xbb;
	lp()->world.xcr0 = 0x55;
	model.run.cpu.xcr0 = 7;
	model.tries = true;
	stops_at(world_resume);
	assert_int_equal(model.tried.why, GUEST_STOP_IO);
	assert_int_equal(model.nr_exits, 0);
	assert_int_equal(model.run.cpu.rip, 0x1234);
	assert_int_equal(model.run.cpu.gpr.rbx, 0xbb);
	assert_int_equal(lp()->world.gpr[GPR_RBX], 0xbb);
	/* What only the end of the switch saves is as it was. */
	assert_int_equal(model.run.cpu.xcr0, 7);
	assert_true(td_active(v));
}

static void does_not_resume(void **state)
{
	(void)state;
	enter();
	guest_stops(0x60, 0, 0);
	stops_at(world_leave);
	assert_int_equal(model.tried.why, GUEST_STOP_HOST_EVENT);
	assert_true(td_active(v));
}

/* Where the code is, in QEMU's own memory. */
static void code_in_memory(void **state)
{
	const uint8_t *code = fake_window.mem + (window_code_pa(window) - FAKE_WINDOW_PA);

	(void)state;
	assert_ptr_equal(window_code_at(window, code), world_code);
	assert_ptr_equal(window_code_at(window, code + (world_left - world_code)), world_left);
	assert_ptr_equal(window_code_at(window, code + 4095), world_code + 4095);
	assert_null(window_code_at(window, code + 4096));
	assert_null(window_code_at(window, code - 1));
	assert_null(window_code_at(window, NULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		td_test(address_space),
		td_test(no_page_tables),
		td_test(registers_in),
		td_test(registers_out),
		td_test(goes_on),
		td_test(xmm_in),
		td_test(xmm_out),
		td_test(probing),
		td_test(resumes),
		td_test(does_not_resume),
		td_test(code_in_memory),
	};

	return cmocka_run_group_tests_name("run_td", tests, NULL, NULL);
}
