// SPDX-License-Identifier: GPL-2.0-only
/*
 * CPUs that run the vCPUs of one TD at the same time, under ThreadSanitizer: they
 * enter, make TDCALLs, fault in memory and lose it again, post interrupts to each
 * other, and hand their vCPUs on.  Each retries BUSY, as hosts and guests do.
 */
#include <sched.h>
#include <string.h>

#include "guest_host.h"
#include "plain.h"
#include "shared_ept.h"
#include "threads.h"

#define ROUNDS		8
#define CYCLES		120
/* Between two of these each vCPU moves to the next CPU. */
#define MOVE_EVERY	4
#define NR_VCPUS	HOST_CPUS

/* Pages of CPU or vCPU @n. */
#define N_PG(n, i)	PG(128 + 16 * (uint64_t)(n) + (i))
#define N_CODE		6
#define N_MEM		8
#define N_TABLE		12
#define NR_MEM		4
#define MEM_GPA(n, i)	(0x10000ULL * (1 + (n)) + (uint64_t)(i) * SZ_4K)
#define CODE_GPA(n)	(0x8000ULL + (uint64_t)(n) * SZ_4K)
#define DATA_GPA	CODE_GPA(NR_VCPUS)
/* A table that comes and goes, with nothing in it. */
#define TABLE_GPA(n)	(SZ_2M * (8 + (uint64_t)(n)))
#define SHARED_GPA	GPA_SHARED
#define SHARED_PA	(20 * MB)
#define POSTED_PA(n)	(PID + (uint64_t)(n) * 64)

/* Where in its page of code a guest finds what. */
#define AT_HLT		0
#define AT_CPUID	16
/* Many, as the module counts the faults of one instruction. */
#define AT_TDCALL(i)	(64 + (i) % 128 * 4)

struct cpu {
	struct host *h;
	unsigned int nr, vcpu;
	/* What went wrong, and where. */
	unsigned int errors, line;
	uint64_t error;
	bool inside;
	struct guest_result result;
	unsigned int tdcalls, extends, faults, interrupts;
};

static void check(struct cpu *c, bool ok, uint64_t what, unsigned int line)
{
	if (ok || c->errors++)
		return;
	c->error = what;
	c->line = line;
}

#define CHECK(c, ok, what)	check(c, ok, what, __LINE__)

static bool is_busy(uint64_t status)
{
	return status == TDX_SYS_BUSY || status == TDX_PREVIOUS_TLB_EPOCH_BUSY ||
	       (status & TDX_STATUS_MASK) == TDX_OPERAND_BUSY ||
	       (status & TDX_STATUS_MASK) == TDX_TLB_TRACKING_NOT_DONE;
}

/* SEAMCALL of the host until it is not BUSY. */
static uint64_t call(struct cpu *c, struct seam_regs in)
{
	struct seam_regs regs;

	for (;;) {
		regs = in;
		seam_call(c->h->seam, c->nr, &regs);
		if (!is_busy(regs.rax))
			return regs.rax;
		sched_yield();
	}
}

static void leaf(struct cpu *c, uint64_t number, uint64_t rcx, uint64_t r8)
{
	uint64_t status = call(c, (struct seam_regs){ .rax = number, .rcx = rcx, .rdx = TDR,
						      .r8 = r8 });

	CHECK(c, !status, status);
}

static void enter(struct cpu *c)
{
	struct seam_regs in = { .rax = TDH_VP_ENTER, .rcx = N_PG(c->vcpu, 0) }, regs;

	do {
		regs = in;
		c->inside = seam_call(c->h->seam, c->nr, &regs) == SEAM_END_RUN_GUEST;
		if (!c->inside)
			sched_yield();
	} while (!c->inside && is_busy(regs.rax));
	CHECK(c, c->inside, regs.rax);
}

static struct guest_run *run(struct cpu *c)
{
	return seam_guest(c->h->seam, c->nr);
}

/* The guest stops; returns whether it goes on. */
static bool stop_for(struct cpu *c, struct guest_exit exit)
{
	c->inside = seam_guest_exit(c->h->seam, c->nr, &exit, &c->result) ==
		    SEAM_END_RUN_GUEST;
	return c->inside;
}

static void leave(struct cpu *c)
{
	CHECK(c, !stop_for(c, (struct guest_exit){ .why = GUEST_STOP_HOST_EVENT }), 0);
}

static bool stop_at(struct cpu *c, enum guest_stop why, uint64_t at)
{
	run(c)->inject.valid = false;
	run(c)->cpu.rip = CODE_GPA(c->vcpu) + at;
	return stop_for(c, (struct guest_exit){ .why = why });
}

/* The host's answer to an EPT violation, then the guest goes on. */
static void answer_fault(struct cpu *c)
{
	uint64_t gpa = c->result.regs.r8, status;

	c->faults++;
	CHECK(c, c->result.regs.rax == VMX_EPT_VIOLATION, c->result.regs.rax);
	status = call(c, (struct seam_regs){ .rax = TDH_MEM_PAGE_AUG, .rcx = gpa, .rdx = TDR,
					     .r8 = N_PG(c->nr, N_MEM + (gpa >> 12 & 3)) });
	CHECK(c, !status, status);
	enter(c);
}

/* TDCALL until it is not BUSY.  Returns RAX. */
static uint64_t tdcall(struct cpu *c, struct seam_regs in)
{
	uint64_t status;

	for (;;) {
		run(c)->cpu.gpr = in;
		if (!stop_at(c, GUEST_STOP_UNDEFINED, AT_TDCALL(c->tdcalls))) {
			answer_fault(c);
			continue;
		}
		status = run(c)->cpu.gpr.rax;
		if (!is_busy(status))
			break;
		/* What happens to other pages does not keep a guest from its own. */
		CHECK(c, status != (TDX_OPERAND_BUSY | OPERAND_SEPT_TREE), status);
		sched_yield();
	}
	c->tdcalls++;
	return run(c)->cpu.gpr.rax;
}

/* Memory that is accepted is zero, and stays what the guest made of it. */
static void use_memory(struct cpu *c)
{
	for (unsigned int i = 0; i < NR_MEM; i++) {
		uint64_t status = tdcall(c, (struct seam_regs){ .rax = 6,
								.rcx = MEM_GPA(c->nr, i) });
		struct guest_map map;
		uint8_t *plain;

		CHECK(c, !status, status);
		CHECK(c, seam_guest_map(c->h->seam, c->nr, MEM_GPA(c->nr, i), &map), 0);
		plain = plain_at(c->h->seam, map.pa);
		CHECK(c, !plain[0] && !plain[SZ_4K - 1], plain[0]);
		memset(plain, 0x80 + (int)c->nr, SZ_4K);
	}
}

/* Below a table that another CPU's host adds, blocks and removes all the time. */
static void accept_nothing(struct cpu *c)
{
	uint64_t gpa = TABLE_GPA((c->nr + 1) % HOST_CPUS) + SZ_4K;

	run(c)->cpu.gpr = (struct seam_regs){ .rax = 6, .rcx = gpa };
	if (stop_at(c, GUEST_STOP_UNDEFINED, AT_TDCALL(c->tdcalls++))) {
		CHECK(c, is_busy(run(c)->cpu.gpr.rax), run(c)->cpu.gpr.rax);
		return;
	}
	CHECK(c, c->result.regs.rax == VMX_EPT_VIOLATION, c->result.regs.rax);
	CHECK(c, (c->result.regs.rdx & 0xF) == EXT_QUAL_ACCEPT, c->result.regs.rdx);
	enter(c);
}

/* A #VE, and the guest's look at what it was. */
static void halt(struct cpu *c)
{
	CHECK(c, stop_at(c, GUEST_STOP_HLT, AT_HLT), 0);
	CHECK(c, run(c)->inject.valid && run(c)->inject.vector == VECTOR_VE,
	      run(c)->inject.vector);
	CHECK(c, !tdcall(c, (struct seam_regs){ .rax = 3 }), 1);
	CHECK(c, run(c)->cpu.gpr.rcx == VMX_HLT, run(c)->cpu.gpr.rcx);
}

/* An interrupt for the next vCPU; one that came is delivered. */
static void interrupts(struct cpu *c)
{
	struct posted *other = (struct posted *)host_mem(c->h, POSTED_PA((c->vcpu + 1) % NR_VCPUS));
	struct vapic *apic = &host_td(c->h)->vcpu[c->vcpu]->guest->apic;

	atomic_fetch_or(&other->requests[2], 1U << c->nr);
	atomic_fetch_or(&other->control, POSTED_OUTSTANDING);
	run(c)->inject.valid = false;
	run(c)->cpu.rflags |= RFLAGS_IF;
	CHECK(c, stop_for(c, (struct guest_exit){ .why = GUEST_STOP_INTERRUPT_WINDOW }), 0);
	if (run(c)->inject.valid) {
		c->interrupts++;
		vapic_eoi(apic);
	}
	run(c)->cpu.rflags &= ~RFLAGS_IF;
}

/* Shared memory comes and goes at the hands of other CPUs' hosts. */
static void shared_memory(struct cpu *c)
{
	struct guest_map map;

	atomic_store(shared_entry(c->h, SHARED_GPA, 0),
		     c->nr & 1 ? 0 : SHARED_PA | EPT_ACCESS | 6 << 3);
	if (seam_guest_map(c->h->seam, c->nr, SHARED_GPA, &map))
		CHECK(c, map.pa == SHARED_PA && !map.is_private, map.pa);
	if (stop_for(c, (struct guest_exit){ .why = GUEST_STOP_MEMORY, .gpa = SHARED_GPA,
					     .read = true }))
		host_td(c->h)->vcpu[c->vcpu]->guest->ve.valid = false;
	else
		enter(c);
}

static void run_guest(struct cpu *c)
{
	uint64_t status;

	enter(c);
	use_memory(c);
	status = tdcall(c, (struct seam_regs){ .rax = 2, .rcx = DATA_GPA });
	CHECK(c, !status, status);
	c->extends++;
	CHECK(c, !tdcall(c, (struct seam_regs){ .rax = 1 }), 1);
	CHECK(c, run(c)->cpu.gpr.r9 == c->vcpu, run(c)->cpu.gpr.r9);
	tdcall(c, (struct seam_regs){ .rax = 8, .rdx = 0x9100000000000010, .r8 = c->nr & 1,
				      .r9 = 1 });
	tdcall(c, (struct seam_regs){ .rax = 4, .rcx = MEM_GPA(c->nr, 0),
				      .rdx = MEM_GPA(c->nr, 1) });
	for (unsigned int i = 0; i < NR_MEM; i++)
		accept_nothing(c);
	halt(c);
	interrupts(c);
	shared_memory(c);
	run(c)->cpu.gpr.rax = 1;
	CHECK(c, stop_at(c, GUEST_STOP_CPUID, AT_CPUID), 0);
	leave(c);
}

/* A vCPU that another CPU runs is not for this one. */
static void enter_another(struct cpu *c)
{
	struct seam_regs regs = { .rax = TDH_VP_ENTER, .rcx = N_PG((c->vcpu + 1) % NR_VCPUS, 0) };
	enum seam_end end = seam_call(c->h->seam, c->nr, &regs);

	CHECK(c, end == SEAM_END_DONE && (is_busy(regs.rax) || regs.rax == TDX_VCPU_ASSOCIATED),
	      regs.rax);
}

/* Others' vCPUs may have to leave before what is removed is tracked. */
static void track_and_remove(struct cpu *c, uint64_t number, uint64_t what)
{
	struct seam_regs regs;

	do {
		leaf(c, TDH_MEM_TRACK, TDR, 0);
		regs = (struct seam_regs){ .rax = number, .rcx = what, .rdx = TDR };
		seam_call(c->h->seam, c->nr, &regs);
	} while (is_busy(regs.rax));
	CHECK(c, !regs.rax, regs.rax);
}

static void zap(struct cpu *c)
{
	for (unsigned int i = 0; i < NR_MEM; i++)
		leaf(c, TDH_MEM_RANGE_BLOCK, MEM_GPA(c->nr, i), 0);
	for (unsigned int i = 0; i < NR_MEM; i++)
		track_and_remove(c, TDH_MEM_PAGE_REMOVE, MEM_GPA(c->nr, i));
}

/* All that a host can do to a table, blocked and not. */
static void replace_table(struct cpu *c)
{
	uint64_t table = TABLE_GPA(c->nr) | 1;

	leaf(c, TDH_MEM_SEPT_ADD, table, N_PG(c->nr, N_TABLE));
	leaf(c, TDH_MEM_RANGE_BLOCK, table, 0);
	leaf(c, TDH_MEM_TRACK, TDR, 0);
	call(c, (struct seam_regs){ .rax = TDH_MEM_RANGE_UNBLOCK, .rcx = table, .rdx = TDR });
	leaf(c, TDH_MEM_RANGE_BLOCK, table, 0);
	track_and_remove(c, TDH_MEM_SEPT_REMOVE, table);
}

/* All CPUs at once: each gives its vCPU to the next. */
static void move(struct cpu *c)
{
	threads_meet();
	leaf(c, TDH_VP_FLUSH, N_PG(c->vcpu, 0), 0);
	threads_meet();
	c->vcpu = (c->vcpu + 1) % NR_VCPUS;
	enter(c);
	leave(c);
	threads_meet();
}

static void *run_cpu(void *arg)
{
	struct cpu *c = arg;
	struct seam_stats st;

	for (unsigned int i = 0; i < CYCLES; i++) {
		if (i % MOVE_EVERY == 0)
			move(c);
		run_guest(c);
		enter_another(c);
		zap(c);
		replace_table(c);
		seam_get_stats(c->h->seam, &st);
	}
	return NULL;
}

static void add_vcpu(struct host *h, unsigned int n)
{
	td_must(h, 0, (struct seam_regs){ .rax = TDH_VP_CREATE, .rcx = N_PG(n, 0), .rdx = TDR });
	for (unsigned int i = 1; i <= TDVPS_CHILD_PAGES; i++)
		td_must(h, 0, (struct seam_regs){ .rax = TDH_VP_ADDCX, .rcx = N_PG(n, i),
						  .rdx = N_PG(n, 0) });
	td_must(h, n, (struct seam_regs){ .rax = TDH_VP_INIT | 1 << 16, .rcx = N_PG(n, 0),
					  .r8 = n });
}

static void add_code(struct host *h, unsigned int n)
{
	struct sept_view view;
	char *code;

	td_must(h, 0, (struct seam_regs){ .rax = TDH_MEM_PAGE_ADD, .rcx = CODE_GPA(n),
					  .rdx = TDR, .r8 = n < NR_VCPUS ? N_PG(n, N_CODE) : PG(120),
					  .r9 = SOURCE });
	sept_look(&host_td(h)->sept, CODE_GPA(n), &view);
	code = plain_at(h->seam, view.hpa);
	memcpy(code + AT_HLT, INSN_HLT, sizeof(INSN_HLT));
	memcpy(code + AT_CPUID, INSN_CPUID, sizeof(INSN_CPUID));
	for (unsigned int i = 0; i < 128; i++)
		memcpy(code + AT_TDCALL(i), INSN_TDCALL, sizeof(INSN_TDCALL) - 1);
}

/* 64-bit mode, with addresses that are physical: no tables are needed. */
static void prepare_guest(struct cpu *c)
{
	struct vcpu_vmcs *vmcs = &host_td(c->h)->vcpu[c->vcpu]->vmcs;
	struct guest_cpu *r;

	atomic_store(&vmcs->shared_eptp, SHARED_EPT(3));
	atomic_store(&vmcs->pid_address, POSTED_PA(c->vcpu));
	atomic_store(&vmcs->pin_controls, PIN_CONTROLS_INITIAL | PIN_PROCESS_POSTED_INTERRUPTS);
	enter(c);
	r = &run(c)->cpu;
	r->efer |= EFER_LONG_ACTIVE;
	r->seg[SEG_CS].ar |= SEG_AR_L;
	leave(c);
}

static void build(struct host *h)
{
	td_goto(h, TD_TDCS);
	host_params(h)->max_vcpus = NR_VCPUS;
	host_params(h)->attributes = TD_ATTR_SEPT_VE_DISABLE;
	td_must(h, 0, (struct seam_regs){ .rax = TDH_MNG_INIT, .rcx = TDR, .rdx = TD_PARAMS });
	for (unsigned int n = 0; n < NR_VCPUS; n++)
		add_vcpu(h, n);
	for (unsigned int level = 3; level > 0; level--)
		td_must(h, 0, (struct seam_regs){ .rax = TDH_MEM_SEPT_ADD, .rcx = level,
						  .rdx = TDR, .r8 = EPT_PAGE(level) });
	for (unsigned int n = 0; n <= NR_VCPUS; n++)
		add_code(h, n);
	td_must(h, 0, (struct seam_regs){ .rax = TDH_MR_FINALIZE, .rcx = TDR });
	for (unsigned int level = 3; level > 0; level--)
		atomic_store(shared_entry(h, SHARED_GPA, level), SHARED_EPT(level - 1) | EPT_ACCESS);
}

/* The same data, extended so many times in whatever order. */
static void assert_rtmr(struct host *h, unsigned int extends)
{
	uint8_t want[SHA384_BYTES] = { 0 };
	struct sha384_ctx ctx;

	for (unsigned int i = 0; i < extends; i++) {
		sha384_init(&ctx);
		sha384_update(&ctx, SHA384_BYTES, want);
		sha384_update(&ctx, SHA384_BYTES, guest_mem(h, DATA_GPA));
		sha384_digest(&ctx, SHA384_BYTES, want);
	}
	assert_memory_equal(host_td(h)->rtmr[0], want, SHA384_BYTES);
}

static void assert_end(struct host *h, const struct cpu cpus[HOST_CPUS])
{
	unsigned int extends = 0, interrupts = 0;

	for (unsigned int i = 0; i < HOST_CPUS; i++) {
		if (cpus[i].errors)
			fail_msg("CPU %u: %u errors, the first 0x%llx in line %u", i, cpus[i].errors,
				 (unsigned long long)cpus[i].error, cpus[i].line);
		assert_int_equal(cpus[i].faults, CYCLES * NR_MEM);
		extends += cpus[i].extends;
		interrupts += cpus[i].interrupts;
	}
	assert_rtmr(h, extends);
	assert_true(interrupts > 0);
	assert_int_equal(host_td(h)->nr_associated, NR_VCPUS);
	assert_int_equal(host_td(h)->epoch.refcount[0] | host_td(h)->epoch.refcount[1], 0);
	assert_int_equal(host_td(h)->sept.lock.holders, 0);
	assert_int_equal(host_page(h, TDR)->lock.holders, 0);
	assert_int_equal(h->seam->sys_lock.holders, 0);
	assert_int_equal(h->nr_violations, 0);
}

static void run_round(void)
{
	struct cpu cpus[HOST_CPUS] = { 0 };
	struct host *h = threads_host(NULL);

	h->machine.irq_pending = NULL;
	guest_host_start(h);
	build(h);
	for (unsigned int i = 0; i < HOST_CPUS; i++) {
		cpus[i] = (struct cpu){ .h = h, .nr = i, .vcpu = i };
		prepare_guest(&cpus[i]);
	}
	threads_run(run_cpu, cpus, sizeof(*cpus));
	assert_end(h, cpus);
	host_free(h);
}

static void one_td(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < ROUNDS; i++)
		run_round();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_td),
	};

	return cmocka_run_group_tests_name("threads_guest", tests, NULL, NULL);
}
