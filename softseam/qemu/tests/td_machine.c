// SPDX-License-Identifier: GPL-2.0-only
#include "td_machine.h"

#define ADDRESS		UINT64_C(0x000ffffffffff000)

struct scripted_model model;
struct vcpu *v;
struct site site;
struct window *window;

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

bool seam_guest_try(struct seam *seam, unsigned int cpu, const struct guest_exit *exit)
{
	(void)seam;
	assert_int_equal(cpu, 0);
	model.tried = *exit;
	return model.tries;
}

/* Executing it leaves a mark in each register. */
bool seam_guest_quick(struct seam *seam, unsigned int cpu, enum guest_quick what)
{
	struct seam_regs *r = &model.run.cpu.gpr;

	(void)seam;
	assert_int_equal(cpu, 0);
	model.nr_quick++;
	model.what = what;
	if (!model.quick)
		return false;
	r->rax += 0x10000;
	r->rbx += 0x10000;
	r->rcx += 0x10000;
	r->rdx += 0x10000;
	r->r15 += 0x10000;
	return true;
}

bool seam_guest_xsetbv(struct seam *seam, unsigned int cpu, uint32_t index, uint64_t value)
{
	(void)seam;
	(void)cpu;
	return !index && value == 7;
}

enum seam_end platform_guest_exit(struct platform *p, struct vcpu *cpu,
				  const struct guest_exit *exit, struct guest_result *result)
{
	(void)p;
	(void)cpu;
	model.nr_exits++;
	model.exit = *exit;
	*result = model.result;
	return model.end_of_exit;
}

struct window_lp *lp(void)
{
	return window_lp(window, 0);
}

int td_setup(void **state)
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

int td_teardown(void **state)
{
	fake_stop(*state);
	g_free(window);
	fake_window_stop();
	return 0;
}

void enter(void)
{
	assert_int_equal(JUMPS(td_enter(v, &site)), FAKE_JUMP_PC);
	assert_int_equal(fake.jump_pc, CODE);
}

/* What the CPU would do between td_enter() and td_left(). */
void guest_stops(uint64_t code, uint64_t info1, uint64_t info2)
{
	struct vmcb_control *c = &lp()->guest_vmcb.control;

	c->exit_code = code;
	c->exit_info1 = info1;
	c->exit_info2 = info2;
}

struct site *leave(void)
{
	static struct site *left;

	left = NULL;
	assert_int_equal(JUMPS(left = td_left(v)), 0);
	return left;
}

void go_on(void)
{
	assert_int_equal(JUMPS(td_left(v)), FAKE_JUMP_PC);
	assert_int_equal(fake.jump_pc, CODE);
}

void stops_at(const char *where)
{
	assert_int_equal(JUMPS(td_stopped(v)), FAKE_JUMP_PC);
	assert_int_equal(fake.jump_pc, CODE + (uint64_t)(where - world_code));
}

uint64_t *table_at(uint64_t pa)
{
	assert_true(pa >= FAKE_WINDOW_PA && pa < FAKE_WINDOW_PA + fake_window.bytes);
	return (uint64_t *)(fake_window.mem + (pa - FAKE_WINDOW_PA));
}

/* Four levels, and the first of them is in the window. */
uint64_t walk(uint64_t root, uint64_t va)
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

uint64_t nested(uint64_t gpa)
{
	return walk(lp()->guest_vmcb.control.nested_cr3, gpa);
}
