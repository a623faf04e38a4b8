// SPDX-License-Identifier: GPL-2.0-only
#include <inttypes.h>
#include <string.h>

#include "plain.h"
#include "random_guest.h"

/* Of a hundred steps on a CPU that is inside, so many leave at once. */
#define LEAVE_PERCENT	20

static void call(struct host *h, struct random_guests *g, unsigned int cpu,
		 struct seam_regs regs)
{
	g->host_calls++;
	host_call_checked(h, cpu, &regs);
}

/* What a host does about an EPT violation: tables and a page for @gpa. */
static void answer_fault(struct host *h, struct random *r, struct random_guests *g,
			 unsigned int cpu, const struct td *td, uint64_t gpa)
{
	struct sept_walk walk;

	while (!sept_walk(&td->sept, gpa, 0, &walk) && walk.state == SEPT_FREE) {
		unsigned int level = walk.level;

		call(h, g, cpu, (struct seam_regs){
			.rax = TDH_MEM_SEPT_ADD, .rdx = td->tdr, .r8 = g->free_page(h, r),
			.rcx = (gpa & ~(sept_level_bytes(level) - 1)) | level });
		if (!sept_walk(&td->sept, gpa, 0, &walk) && walk.level == level)
			return;
	}
	if (walk.level == 0 && walk.state == SEPT_FREE)
		call(h, g, cpu, (struct seam_regs){ .rax = TDH_MEM_PAGE_AUG, .rcx = gpa,
						    .rdx = td->tdr, .r8 = g->free_page(h, r) });
}

static void leave_with(struct host *h, struct random *r, struct random_guests *g,
		       unsigned int cpu, struct guest_exit exit)
{
	const struct td *td = h->seam->guest_lp[cpu].ref.vcpu->td;
	struct guest_result result;

	g->stops++;
	if (seam_guest_exit(h->seam, cpu, &exit, &result) == SEAM_END_RUN_GUEST)
		return;
	g->inside[cpu] = false;
	g->nr_inside--;
	g->exits[result.regs.rax & 0x7F]++;
	if (!seam_status_name(result.regs.rax))
		fail_msg("0x%" PRIx64 " is no status", result.regs.rax);
	if (r && (uint32_t)result.regs.rax == VMX_EPT_VIOLATION &&
	    !(result.regs.r8 & GPA_SHARED))
		answer_fault(h, r, g, cpu, td, result.regs.r8);
}

void random_guest_leave(struct host *h, struct random_guests *g, unsigned int cpu)
{
	leave_with(h, NULL, g, cpu, (struct guest_exit){ .why = GUEST_STOP_HOST_EVENT });
	assert_false(g->inside[cpu]);
}

void random_guests_leave(struct host *h, struct random_guests *g)
{
	for (unsigned int cpu = 0; cpu < HOST_CPUS; cpu++) {
		if (g->inside[cpu])
			random_guest_leave(h, g, cpu);
	}
	assert_int_equal(g->nr_inside, 0);
}

unsigned int random_cpu_outside(struct host *h, struct random *r, struct random_guests *g)
{
	unsigned int cpu = (unsigned int)random_below(r, HOST_CPUS);

	for (unsigned int i = 0; i < HOST_CPUS && g->inside[cpu]; i++)
		cpu = (cpu + 1) % HOST_CPUS;
	if (g->inside[cpu])
		random_guest_leave(h, g, cpu);
	return cpu;
}

/* Any vCPU of any TD; NULL if there is none. */
static struct vcpu *some_vcpu(struct host *h, struct random *r)
{
	struct vcpu *some = NULL;
	uint64_t nr = 0;

	for (struct td *td = h->seam->tds; td; td = td->next) {
		for (struct vcpu *v = td->vcpus; v; v = v->next) {
			if (!random_below(r, ++nr))
				some = v;
		}
	}
	return some;
}

static void enter(struct host *h, struct random *r, struct random_guests *g, unsigned int cpu)
{
	const struct vcpu *vcpu = some_vcpu(h, r);
	struct seam_regs regs = { .rax = TDH_VP_ENTER };
	int lp;

	if (!vcpu)
		return;
	lp = atomic_load(&vcpu->lp);
	/* Mostly where its state is. */
	if (lp != VCPU_NO_LP && !g->inside[lp] && random_below(r, 10))
		cpu = (unsigned int)lp;
	regs.rcx = vcpu->tdvpr;
	regs.rbx = random_next(r);
	regs.r12 = random_next(r);
	g->enters++;
	if (seam_call(h->seam, cpu, &regs) == SEAM_END_RUN_GUEST) {
		g->inside[cpu] = true;
		g->nr_inside++;
		g->entered++;
	} else if (!seam_status_name(regs.rax)) {
		fail_msg("0x%" PRIx64 " is no status", regs.rax);
	}
}

/* What a guest finds at an address belongs to it. */
static void look_up(struct host *h, struct random *r, struct random_guests *g, unsigned int cpu)
{
	const struct td *td = h->seam->guest_lp[cpu].ref.vcpu->td;
	uint64_t gpa = random_gpa(r, 0);
	const struct pamt_entry *page;
	struct guest_map map;

	g->lookups++;
	if (!seam_guest_map(h->seam, cpu, gpa, &map))
		return;
	page = pamt_entry(&h->seam->pamt, map.pa, map.size == SZ_2M ? PS_2M : PS_4K);
	assert_true(map.is_private);
	assert_int_equal(page->type, PT_REG);
	assert_int_equal(pamt_owner(page), td->tdr);
	assert_true(gpa >= map.gpa && gpa - map.gpa < map.size);
}

/*
 * Code at a page of the guest's.  One that has none accepts a page without any:
 * no guest starts like that, and it would get nowhere.
 */
static void put_code(struct host *h, struct random *r, unsigned int cpu, const void *code,
		     size_t len)
{
	struct td *td = h->seam->guest_lp[cpu].ref.vcpu->td;
	struct guest_cpu *regs = &seam_guest(h->seam, cpu)->cpu;
	struct sept_view view;
	struct sept_walk walk;

	for (unsigned int i = 0; i < 24; i++) {
		regs->rip = random_gpa(r, 0);
		sept_look(&td->sept, regs->rip, &view);
		if (view.state == SEPT_MAPPED)
			break;
		if (view.state == SEPT_PENDING && i >= 12)
			sept_accept(&td->sept, regs->rip, view.level, &walk);
	}
	/* 64-bit mode, with addresses that are physical: no tables are needed. */
	regs->cr0 &= ~CR0_PG;
	regs->efer |= EFER_LONG_ACTIVE;
	regs->seg[SEG_CS].ar |= SEG_AR_L;
	if (view.state == SEPT_MAPPED)
		memcpy((char *)plain_at(h->seam, view.hpa) + (regs->rip - view.gpa), code, len);
}

static uint64_t tdcall_operand(struct random *r)
{
	switch (random_below(r, 8)) {
	case 0:
		return random_next(r) >> random_below(r, 64);
	case 1:
		return random_below(r, 8);
	default:
		return random_gpa(r, 0) + random_below(r, 4) * 1024;
	}
}

static void tdcall(struct host *h, struct random *r, struct random_guests *g, unsigned int cpu)
{
	static const uint8_t leaf[] = { 0, 1, 2, 3, 4, 6, 6, 6, 7, 8, 5 };
	static const uint64_t field[] = {
		0x1110000300000017, 0x9010000200000001, 0x1110000300000000, 0x9100000000000010, 0x77,
	};
	struct guest_cpu *regs = &seam_guest(h->seam, cpu)->cpu;
	struct seam_regs in = { .rax = leaf[random_below(r, sizeof(leaf))],
				.rcx = tdcall_operand(r), .rdx = tdcall_operand(r) };

	if (in.rax == 0)
		in.rcx = 0xFFC0 & random_next(r);
	else if (in.rax == 2)
		in.rdx = random_below(r, 5);
	else if (in.rax == 3 || in.rax == 1)
		in.rcx = 0;
	else if (in.rax == 6)
		in.rcx = random_gpa(r, 0) | !random_below(r, 10);
	else if (in.rax >= 7)
		in = (struct seam_regs){ .rax = in.rax, .rdx = field[random_below(r, 5)],
					 .r8 = random_below(r, 4), .r9 = random_below(r, 4) };
	put_code(h, r, cpu, INSN_TDCALL, sizeof(INSN_TDCALL) - 1);
	regs->gpr = in;
	g->tdcalls++;
	leave_with(h, r, g, cpu, (struct guest_exit){ .why = GUEST_STOP_UNDEFINED });
	if (g->inside[cpu] && regs->gpr.rax == TDX_SUCCESS && in.rax && in.rax < 9) {
		g->tdcalls_ok++;
		g->tdcall_ok[in.rax]++;
	}
}

/* Something that the CPU of a guest stops for. */
static void stop_at_insn(struct host *h, struct random *r, struct random_guests *g, unsigned int cpu)
{
	static const struct {
		enum guest_stop why;
		char code[4];
	} stops[] = {
		{ GUEST_STOP_CPUID, "\x0F\xA2" }, { GUEST_STOP_MSR, "\x0F\x32" },
		{ GUEST_STOP_MSR, "\x0F\x30" }, { GUEST_STOP_HLT, "\xF4" },
		{ GUEST_STOP_IO, "\xEC" }, { GUEST_STOP_RDTSC, "\x0F\x31" },
		{ GUEST_STOP_CR, "\x0F\x22\xC0" }, { GUEST_STOP_CR, "\x0F\x22\xE0" },
		{ GUEST_STOP_INTERRUPT_WINDOW, "" }, { GUEST_STOP_IRET, "" },
		{ GUEST_STOP_RDPMC, "\x0F\x33" }, { GUEST_STOP_UNDEFINED, "\x0F\x0B" },
	};
	static const uint32_t msr[] = { 0x10, 0x48, 0x277, 0x808, 0x80B, 0x83F, 0xC0000080, 0x1B };
	size_t i = random_below(r, ARRAY_SIZE(stops));
	struct seam_regs *regs = &seam_guest(h->seam, cpu)->cpu.gpr;

	put_code(h, r, cpu, stops[i].code, sizeof(stops[i].code));
	regs->rax = stops[i].why == GUEST_STOP_CPUID ? random_below(r, 0x24) : random_below(r, 64);
	regs->rcx = stops[i].why == GUEST_STOP_MSR ? msr[random_below(r, 8)] : 0;
	regs->rdx = 0;
	leave_with(h, r, g, cpu, (struct guest_exit){ .why = stops[i].why, .io_bytes = 1 });
}

static void access_memory(struct host *h, struct random *r, struct random_guests *g,
			  unsigned int cpu)
{
	unsigned int kind = (unsigned int)random_below(r, 3);
	struct guest_exit exit = { .why = GUEST_STOP_MEMORY, .read = !kind, .write = kind == 1,
				   .fetch = kind == 2 };

	exit.gpa = random_gpa(r, 0) | (random_below(r, 20) ? 0 : GPA_SHARED);
	leave_with(h, r, g, cpu, exit);
}

/* The guest takes what a #VE was about, as those do that live. */
static void take_ve(struct host *h, unsigned int cpu)
{
	h->seam->guest_lp[cpu].ref.vcpu->guest->ve.valid = false;
	h->seam->guest_lp[cpu].ref.vcpu->guest->run.inject.valid = false;
}

static void act(struct host *h, struct random *r, struct random_guests *g, unsigned int cpu)
{
	uint64_t dice = random_below(r, 100);

	if (random_below(r, 4))
		take_ve(h, cpu);
	if (dice < LEAVE_PERCENT)
		random_guest_leave(h, g, cpu);
	else if (dice < 60)
		tdcall(h, r, g, cpu);
	else if (dice < 75)
		stop_at_insn(h, r, g, cpu);
	else if (dice < 85)
		access_memory(h, r, g, cpu);
	else if (dice < 99 || random_below(r, 20))
		look_up(h, r, g, cpu);
	else
		leave_with(h, r, g, cpu, (struct guest_exit){ .why = GUEST_STOP_TRIPLE_FAULT });
}

void random_guest_step(struct host *h, struct random *r, struct random_guests *g)
{
	unsigned int cpu = (unsigned int)random_below(r, HOST_CPUS);

	/* Half of the CPUs at most: the host has something to do, too. */
	if (g->inside[cpu])
		act(h, r, g, cpu);
	else if (g->nr_inside < HOST_CPUS / 2)
		enter(h, r, g, cpu);
}

void random_guests_report(const struct random_guests *g, bool is_long)
{
	static const uint8_t reason[] = { VMX_TRIPLE_FAULT, VMX_OTHER_SMI, VMX_EPT_VIOLATION,
					  VMX_TDCALL };
	static const uint8_t leaf[] = { 1, 2, 3, 4, 6, 7, 8 };

	print_message("# VP.ENTER %" PRIu64 " times, %" PRIu64 " into a TD; %" PRIu64
		      " stops, %" PRIu64 " TDCALLs, %" PRIu64 " successes; %" PRIu64
		      " calls for their memory\n", g->enters, g->entered, g->stops, g->tdcalls,
		      g->tdcalls_ok, g->host_calls);
	for (size_t i = 0; is_long && i < sizeof(reason); i++) {
		if (!g->exits[reason[i]])
			fail_msg("no exit for reason %u", reason[i]);
	}
	for (size_t i = 0; is_long && i < sizeof(leaf); i++) {
		if (!g->tdcall_ok[leaf[i]])
			fail_msg("TDCALL leaf %u never succeeded", leaf[i]);
	}
}
