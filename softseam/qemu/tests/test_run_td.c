// SPDX-License-Identifier: GPL-2.0-only
/* From a SEAMCALL into a TD and back, up to the code that the CPU executes. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "fake_qemu.h"
#include "fake_window.h"
#include "run_td.h"
#include "tsc.h"

#define CODE		UINT64_C(0x7f8000000000)
#define DATA		(CODE + 4096)
#define HOST_ROOT	0x5000
#define HOST_RSP	0x4000
#define KERNEL_SLOT	511
#define ADDRESS		UINT64_C(0x000ffffffffff000)
#define NOTHING		(~UINT64_C(0))

/* The model: one guest, and what it says of addresses and exits. */
static struct {
	struct guest_run run;
	/* Pages that are there: 4K each from @gpa to @end, or one of 2M. */
	uint64_t gpa, end, pa;
	bool large, writable, is_private;
	enum seam_end end_of_exit;
	struct guest_result result;
	unsigned int nr_exits;
	struct guest_exit exit;
} model;

void seam_config_init(struct seam_config *cfg)
{
	memset(cfg, 0, sizeof(*cfg));
}

struct guest_run *seam_guest(struct seam *seam, unsigned int cpu)
{
	(void)seam;
	assert_int_equal(cpu, 0);
	return &model.run;
}

bool seam_guest_map(struct seam *seam, unsigned int cpu, uint64_t gpa, struct guest_map *map)
{
	uint64_t size = model.large ? TLB_PAGE_2M : TLB_PAGE_4K;

	(void)seam;
	assert_int_equal(cpu, 0);
	if (gpa < model.gpa || gpa >= model.end)
		return false;
	*map = (struct guest_map){
		.gpa = gpa & ~(size - 1), .size = size, .writable = model.writable,
		.executable = model.is_private, .is_private = model.is_private,
		.pa = model.pa + (gpa - model.gpa) / size * size,
	};
	return true;
}

bool seam_guest_xsetbv(struct seam *seam, unsigned int cpu, uint32_t index, uint64_t value)
{
	(void)seam;
	(void)cpu;
	return !index && value == 7;
}

enum seam_end platform_guest_exit(struct platform *p, struct vcpu *v,
				  const struct guest_exit *exit, struct guest_result *result)
{
	(void)p;
	(void)v;
	model.nr_exits++;
	model.exit = *exit;
	*result = model.result;
	return model.end_of_exit;
}

static struct vcpu *v;
static struct site site;
static struct window *window;

static struct window_lp *lp(void)
{
	return window_lp(window, 0);
}

static int setup(void **state)
{
	char err[WINDOW_REASON];
	uint64_t kernel = 0x6003;

	v = *state = fake_start();
	memset(&model, 0, sizeof(model));
	window = window_open(fake_window_start(FAKE_WINDOW_RAM + (32 << 20)), 1, err, sizeof(err));
	assert_non_null(window);
	assert_true(window_locate(window, err, sizeof(err)));
	site = fake_site(INSN_SEAMCALL);
	site.platform->window = window;
	probe_init(&site.platform->probe);

	for (unsigned int i = 0; i < REG_GPRS; i++)
		fake.reg[i] = 0x1000 + i;
	fake.reg[REG_RSP] = HOST_RSP;
	fake.reg[REG_CR3] = HOST_ROOT | 0x3;
	fake.reg[REG_EFLAGS] = 0x246;
	memcpy(fake.memory + HOST_ROOT + KERNEL_SLOT * 8, &kernel, sizeof(kernel));
	fake.jumps = true;
	return 0;
}

static int teardown(void **state)
{
	fake_stop(*state);
	g_free(window);
	fake_window_stop();
	return 0;
}

#define JUMPS(call) ({						\
	volatile enum fake_jump how_ = setjmp(fake.jump);	\
								\
	if (!how_)						\
		call;						\
	how_;							\
})

static void enter(void)
{
	assert_int_equal(JUMPS(td_enter(v, &site)), FAKE_JUMP_PC);
	assert_int_equal(fake.jump_pc, CODE);
}

/* What the CPU would do between td_enter() and td_left(). */
static void guest_stops(uint64_t code, uint64_t info1, uint64_t info2)
{
	struct vmcb_control *c = &lp()->guest_vmcb.control;

	c->exit_code = code;
	c->exit_info1 = info1;
	c->exit_info2 = info2;
}

static struct site *leave(void)
{
	static struct site *left;

	left = NULL;
	assert_int_equal(JUMPS(left = td_left(v)), 0);
	return left;
}

static void go_on(void)
{
	assert_int_equal(JUMPS(td_left(v)), FAKE_JUMP_PC);
	assert_int_equal(fake.jump_pc, CODE);
}

static uint64_t *table_at(uint64_t pa)
{
	assert_true(pa >= FAKE_WINDOW_PA && pa < FAKE_WINDOW_PA + fake_window.bytes);
	return (uint64_t *)(fake_window.mem + (pa - FAKE_WINDOW_PA));
}

/* Four levels, and the first of them is in the window. */
static uint64_t walk(uint64_t root, uint64_t va)
{
	uint64_t table = root & ADDRESS;

	for (int level = 3; level >= 0; level--) {
		uint64_t entry = table_at(table)[va >> (12 + 9 * level) & 511];

		if (!(entry & 1))
			return NOTHING;
		if (level == 1 && entry & 0x80)
			return (entry & ADDRESS & ~(TLB_PAGE_2M - 1)) | (va & (TLB_PAGE_2M - 1));
		table = entry & ADDRESS;
	}
	return table | (va & 4095);
}

static uint64_t nested(uint64_t gpa)
{
	return walk(lp()->guest_vmcb.control.nested_cr3, gpa);
}

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
	lp()->world.tsc_aux = 9;
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
	assert_int_equal(model.run.cpu.tsc_aux, 9);
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

static void memory_comes(void **state)
{
	uint64_t gpa;

	(void)state;
	/* Ten pages around the one that is missing, private; others are not there. */
	model.gpa = 0x105000;
	model.end = model.gpa + 10 * TLB_PAGE_4K;
	model.pa = 0x20000;
	model.writable = model.is_private = true;
	enter();
	assert_int_equal(nested(model.gpa), NOTHING);
	guest_stops(0x400, UINT64_C(1) << 32 | 6, 0x109123);
	go_on();
	/* Nobody but the CPU heard of it. */
	assert_int_equal(model.nr_exits, 0);
	for (gpa = model.gpa; gpa < model.end; gpa += TLB_PAGE_4K)
		assert_int_equal(nested(gpa + 8),
				 window_private_pa(window, model.pa + (gpa - model.gpa)) + 8);
	assert_int_equal(nested(model.gpa - 1), NOTHING);
	assert_int_equal(nested(model.end), NOTHING);
}

static void large_memory_comes(void **state)
{
	(void)state;
	/* Shared: where the host has it. */
	model.gpa = UINT64_C(1) << 47;
	model.end = model.gpa + TLB_PAGE_2M;
	model.pa = 0x40000000;
	model.large = model.writable = true;
	enter();
	guest_stops(0x400, UINT64_C(1) << 32 | 4, model.gpa + 0x54321);
	go_on();
	assert_int_equal(nested(model.gpa), 0x40000000);
	assert_int_equal(nested(model.gpa + 0x1fffff), 0x401fffff);
}

/* An event that was on its way is delivered after the page came. */
static void event_survives(void **state)
{
	(void)state;
	model.gpa = 0x100000;
	model.end = 0x101000;
	model.is_private = true;
	enter();
	guest_stops(0x400, UINT64_C(1) << 32 | 4, 0x100000);
	lp()->guest_vmcb.control.exit_int_info = 0x80000b0e;
	lp()->guest_vmcb.control.exit_int_error = 2;
	go_on();
	assert_int_equal(lp()->guest_vmcb.control.event, 0x80000b0e);
	assert_int_equal(lp()->guest_vmcb.control.event_error, 2);
}

/* Absent, or not allowed: that is the model's. */
static void memory_does_not_come(void **state)
{
	(void)state;
	model.gpa = 0x100000;
	model.end = 0x101000;
	model.end_of_exit = SEAM_END_DONE;
	enter();
	guest_stops(0x400, UINT64_C(1) << 32 | 4, 0x101000);
	assert_ptr_equal(leave(), &site);
	assert_int_equal(model.exit.why, GUEST_STOP_MEMORY);
	assert_int_equal(model.exit.gpa, 0x101000);

	enter();
	guest_stops(0x400, UINT64_C(1) << 32 | 6, 0x100000);
	assert_ptr_equal(leave(), &site);
	enter();
	guest_stops(0x400, UINT64_C(1) << 32 | 0x14, 0x100000);
	assert_ptr_equal(leave(), &site);
	assert_int_equal(model.nr_exits, 3);
	assert_true(model.exit.fetch);
}

static void map_one(void)
{
	model.gpa = 0x100000;
	model.end = 0x101000;
	model.is_private = true;
	model.end_of_exit = SEAM_END_DONE;
	enter();
	guest_stops(0x400, UINT64_C(1) << 32 | 4, 0x100000);
	go_on();
	guest_stops(0x60, 0, 0);
	leave();
}

/* Translations stay over entries, and go with their vCPU, epoch or INVEPT. */
static void translations(void **state)
{
	(void)state;
	model.run.tlb_id = 3;
	map_one();
	enter();
	assert_int_not_equal(nested(0x100000), NOTHING);
	guest_stops(0x60, 0, 0);
	leave();

	model.run.tlb_epoch++;
	enter();
	assert_int_equal(nested(0x100000), NOTHING);
	guest_stops(0x60, 0, 0);
	leave();

	map_one();
	model.run.tlb_id++;
	enter();
	assert_int_equal(nested(0x100000), NOTHING);
	guest_stops(0x60, 0, 0);
	leave();

	map_one();
	td_invept(v);
	enter();
	assert_int_equal(nested(0x100000), NOTHING);
}

/* No table left: all translations are dropped, and the last one is made again. */
static void translations_overflow(void **state)
{
	(void)state;
	model.is_private = true;
	enter();
	v->td.tlb.nr_tables = 5;
	for (unsigned int i = 0; i < 3; i++) {
		model.gpa = (uint64_t)i << 40;
		model.end = model.gpa + TLB_PAGE_4K;
		guest_stops(0x400, UINT64_C(1) << 32 | 4, model.gpa);
		go_on();
		assert_int_not_equal(nested(model.gpa), NOTHING);
		if (i)
			assert_int_equal(nested((uint64_t)(i - 1) << 40), NOTHING);
	}
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

static void addresses_to_watch(void **state)
{
	(void)state;
	assert_true(td_is_left_address(CODE + (uint64_t)(world_left - world_code)));
	assert_false(td_is_left_address(CODE));
	assert_true(td_is_probed_address(CODE + (uint64_t)(world_probed - world_code)));
	assert_false(td_is_probed_address(CODE));
}

static void xsetbv(void **state)
{
	(void)state;
	enter();
	fake.reg[REG_RCX] = 0;
	fake.reg[REG_RDX] = 0;
	fake.reg[REG_RAX] = 7;
	assert_int_equal(td_xsetbv(v).kind, OUTCOME_TO_TCG);
	fake.reg[REG_RAX] = 3;
	assert_int_equal(td_xsetbv(v).kind, OUTCOME_GP);
	fake.reg[REG_RAX] = 7;
	fake.reg[REG_RDX] = 1;
	assert_int_equal(td_xsetbv(v).kind, OUTCOME_GP);
	/* Outside long mode there is no way to raise it. */
	fake.reg[REG_EFER] &= ~EFER_LMA;
	assert_int_equal(td_xsetbv(v).kind, OUTCOME_TO_TCG);
}

#define td_test(f)	cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		td_test(address_space),
		td_test(no_page_tables),
		td_test(registers_in),
		td_test(registers_out),
		td_test(goes_on),
		td_test(memory_comes),
		td_test(large_memory_comes),
		td_test(event_survives),
		td_test(memory_does_not_come),
		td_test(translations),
		td_test(translations_overflow),
		td_test(xmm_in),
		td_test(xmm_out),
		td_test(probing),
		td_test(addresses_to_watch),
		td_test(xsetbv),
	};

	return cmocka_run_group_tests_name("run_td", tests, NULL, NULL);
}
