// SPDX-License-Identifier: GPL-2.0-only
/*
 * Fuzz what a guest's CPU tells the module.  One TD with one vCPU can run; the
 * input is a list of steps: the guest stops for some reason, with anything in
 * its registers and memory, or the host changes what memory there is.
 */
#include <stdlib.h>
#include <string.h>

#include "fuzzing.h"
#include "guest_vcpu.h"
#include "td_params.h"

#define PARAMS		0x202000
#define SOURCE		0x203000
#define PID		0x204000
#define EPT_TABLE(n)	(0x210000 + (uint64_t)(n) * SZ_4K)
#define PAMT		SZ_1G
#define PAGES		(2 * SZ_1G)
#define PG(n)		(PAGES + (uint64_t)(n) * SZ_4K)
#define TDR		PG(0)
#define TDVPR		PG(8)
#define FIRST_PRIVATE	32
#define HKID		32

/* Private GPAs 0 to 7, of which the host adds the first three. */
#define NR_GPAS		8
#define NR_ADDED	3
#define SHARED_BIT	(1ULL << 47)

struct fuzz {
	struct fuzz_input in;
	struct seam *seam;
	bool inside, dead;
};

static bool can_run_guest(void *opaque, unsigned int cpu)
{
	(void)opaque;
	(void)cpu;
	return true;
}

static void on_violation(void *opaque, const struct seam_violation *v)
{
	(void)opaque;
	(void)v;
	abort();
}

static uint64_t call(struct fuzz *f, struct seam_regs regs)
{
	if (seam_call(f->seam, 0, &regs) != SEAM_END_DONE)
		abort();
	return regs.rax;
}

static void must(struct fuzz *f, struct seam_regs regs)
{
	if (call(f, regs))
		abort();
}

static void start_module(struct fuzz *f)
{
	memset(fuzz_mem(FUZZ_ARRAY), 0, 0x10000);
	fuzz_put_tdmr(0, PAGES, PAMT);

	must(f, (struct seam_regs){ .rax = TDH_SYS_INIT });
	must(f, (struct seam_regs){ .rax = TDH_SYS_LP_INIT });
	seam_call(f->seam, 1, &(struct seam_regs){ .rax = TDH_SYS_LP_INIT });
	must(f, (struct seam_regs){ .rax = TDH_SYS_CONFIG, .rcx = FUZZ_ARRAY, .rdx = 1, .r8 = HKID });
	seam_wbinvd(f->seam, 0);
	must(f, (struct seam_regs){ .rax = TDH_SYS_KEY_CONFIG });
	must(f, (struct seam_regs){ .rax = TDH_SYS_TDMR_INIT, .rcx = PAGES });
}

/* What a TD may be is the input's. */
static void fill_params(struct fuzz *f)
{
	struct td_params_page p = {
		.xfam = 3, .max_vcpus = 2, .eptp_controls = 0x1E, .tsc_frequency = 40,
	};

	p.attributes = take8(&f->in) & 1 ? TD_ATTR_SEPT_VE_DISABLE : 0;
	p.config_flags = take8(&f->in) & 1 ? TD_CONFIG_NO_RBP_MOD : 0;
	memcpy(fuzz_mem(PARAMS), &p, sizeof(p));
}

static void start_td(struct fuzz *f)
{
	fill_params(f);
	must(f, (struct seam_regs){ .rax = TDH_MNG_CREATE, .rcx = TDR, .rdx = HKID + 1 });
	must(f, (struct seam_regs){ .rax = TDH_MNG_KEY_CONFIG, .rcx = TDR });
	for (unsigned int i = 0; i < TDCS_PAGES; i++)
		must(f, (struct seam_regs){ .rax = TDH_MNG_ADDCX, .rcx = PG(1 + i), .rdx = TDR });
	must(f, (struct seam_regs){ .rax = TDH_MNG_INIT, .rcx = TDR, .rdx = PARAMS });
	must(f, (struct seam_regs){ .rax = TDH_VP_CREATE, .rcx = TDVPR, .rdx = TDR });
	for (unsigned int i = 0; i < TDVPS_CHILD_PAGES; i++)
		must(f, (struct seam_regs){ .rax = TDH_VP_ADDCX, .rcx = PG(9 + i),
					    .rdx = TDVPR });
	must(f, (struct seam_regs){ .rax = TDH_VP_INIT | 1 << 16, .rcx = TDVPR });
	for (unsigned int level = 3; level; level--)
		must(f, (struct seam_regs){ .rax = TDH_MEM_SEPT_ADD, .rcx = level, .rdx = TDR,
					    .r8 = PG(16 + level) });
	for (unsigned int i = 0; i < NR_ADDED; i++)
		must(f, (struct seam_regs){ .rax = TDH_MEM_PAGE_ADD, .rcx = i * SZ_4K,
					    .rdx = TDR, .r8 = PG(FIRST_PRIVATE + i),
					    .r9 = SOURCE });
	must(f, (struct seam_regs){ .rax = TDH_MR_FINALIZE, .rcx = TDR });
}

static struct vcpu *vcpu_of(struct fuzz *f)
{
	return f->seam->tds->vcpus;
}

/* Shared memory, by tables with anything in them, and posted interrupts. */
static void set_up_host_memory(struct fuzz *f)
{
	struct vcpu_vmcs *vmcs = &vcpu_of(f)->vmcs;

	atomic_store(&vmcs->shared_eptp, EPT_TABLE(3));
	atomic_store(&vmcs->pid_address, PID);
	atomic_store(&vmcs->pin_controls, PIN_CONTROLS_INITIAL | PIN_PROCESS_POSTED_INTERRUPTS);
	for (unsigned int level = 3; level; level--)
		put64(EPT_TABLE(level) + (level == 3 ? 256 * 8 : 0), EPT_TABLE(level - 1) | 7);
}

static uint64_t take_gpa(struct fuzz *f)
{
	uint8_t how = take8(&f->in);
	uint64_t gpa = how % NR_GPAS * SZ_4K + (how & 8 ? take8(&f->in) * 16ULL : 0);

	if (how & 16)
		gpa |= SHARED_BIT;
	return how >= 240 ? take64(&f->in) : gpa;
}

static uint64_t take_value(struct fuzz *f)
{
	static const uint64_t values[] = {
		0, 1, 2, 3, 4, 6, 7, 8, 0x10, 0x21, 0x60, 0x80000021, 0xFC00, 0xC0000080, 0x277,
		0x808, 0x80B, 0x83F, 0xD, 0x40000000, 0x1110000300000017, 0x9100000000000010,
		~0ULL,
	};
	uint8_t how = take8(&f->in);

	if (how < 128)
		return values[how % ARRAY_SIZE(values)];
	return how < 224 ? take_gpa(f) : take64(&f->in);
}

/* Bytes where the guest executes, if it is somewhere. */
static void put_code(struct fuzz *f, uint64_t rip)
{
	static const char *const code[] = {
		"\x66\x0F\x01\xCC", "\x0F\x01\xC1", "\x0F\xA2", "\x0F\x32", "\x0F\x30", "\xF4",
		"\xE5\x71", "\xEE", "\x0F\x31", "\x0F\x01\xF9", "\x0F\x22\xC3", "\x0F\x22\xE3",
		"\x44\x0F\x22\xC3", "\x0F\x01\xF3", "\x0F\x09",
	};
	const char *bytes = code[take8(&f->in) % ARRAY_SIZE(code)];
	struct sept_view view;
	uint8_t *plain;

	if (rip >= NR_GPAS * SZ_4K)
		return;
	sept_look(&f->seam->tds->sept, rip, &view);
	if (view.state != SEPT_MAPPED)
		return;
	plain = plain_at(f->seam, view.hpa);
	for (uint64_t at = rip % SZ_4K; *bytes && at < SZ_4K; at++)
		plain[at] = (uint8_t)*bytes++;
}

static void set_registers(struct fuzz *f)
{
	struct guest_cpu *r = &seam_guest(f->seam, 0)->cpu;
	uint8_t mode = take8(&f->in);

	r->gpr.rax = take_value(f);
	r->gpr.rcx = take_value(f);
	r->gpr.rdx = take_value(f);
	r->gpr.rbx = take_value(f);
	r->gpr.r8 = take_value(f);
	r->gpr.r9 = take_value(f);
	r->rip = mode & 1 ? take64(&f->in) : take_gpa(f);
	if (mode & 2) {
		r->efer |= EFER_LONG_ACTIVE;
		r->seg[SEG_CS].ar |= SEG_AR_L;
	}
	if (mode & 4) {
		r->cr0 |= CR0_PG;
		r->cr3 = take_gpa(f);
	}
	r->rflags = mode & 8 ? 2 | RFLAGS_IF : 2;
	r->interrupt_shadow = mode & 16;
	put_code(f, r->rip);
}

static struct guest_event take_event(struct fuzz *f)
{
	static const enum guest_event_type types[] = {
		GUEST_EVENT_INTERRUPT, GUEST_EVENT_NMI, GUEST_EVENT_EXCEPTION,
		GUEST_EVENT_SOFTWARE,
	};
	uint8_t how = take8(&f->in);

	if (how & 3)
		return (struct guest_event){ 0 };
	return (struct guest_event){ .valid = true, .type = types[how >> 2 & 3],
				     .vector = take8(&f->in), .has_error = how & 16 };
}

/* A guest that goes on can do so; one that left is not inside any more. */
static void check_after(struct fuzz *f, enum seam_end end, const struct guest_result *result)
{
	const struct vcpu *v = vcpu_of(f);

	if (end == SEAM_END_RUN_GUEST) {
		if (v->state != VCPU_ACTIVE || seam_guest(f->seam, 0)->interrupt_class > 15)
			abort();
		return;
	}
	f->inside = false;
	f->dead = v->state == VCPU_DISABLED;
	if (end != SEAM_END_DONE || (v->state != VCPU_READY && !f->dead))
		abort();
	if (result->regs.rax & TDX_STATUS_ERROR || (!f->dead && result->regs.rax >> 32))
		abort();
	if (f->seam->sys_lock.holders || v->td->sept.lock.holders || v->td->rtmr_lock.holders ||
	    v->td->op_state_lock.holders || v->td->epoch.refcount[0] || v->td->epoch.refcount[1])
		abort();
}

static void stop(struct fuzz *f, struct guest_exit exit)
{
	struct guest_result result;

	check_after(f, seam_guest_exit(f->seam, 0, &exit, &result), &result);
}

static void guest_step(struct fuzz *f)
{
	struct guest_exit exit = { .why = take8(&f->in) % NR_GUEST_STOPS };
	uint8_t access = take8(&f->in);

	if (exit.why == GUEST_STOP_MEMORY)
		exit.gpa = take_gpa(f);
	exit.read = access & 1;
	exit.write = access & 2;
	exit.fetch = access & 4;
	exit.port = access;
	exit.io_bytes = (uint8_t)(1 << access % 3);
	exit.io_in = access & 8;
	exit.vectoring = take_event(f);
	set_registers(f);
	stop(f, exit);
}

static void enter(struct fuzz *f)
{
	struct seam_regs regs = { .rax = TDH_VP_ENTER, .rcx = TDVPR, .rdx = take8(&f->in) };

	f->inside = seam_call(f->seam, 0, &regs) == SEAM_END_RUN_GUEST;
	/* Only a vCPU that is dead, or that has to wait for memory, is refused. */
	if (!f->inside && !f->dead && regs.rax != VMX_EPT_VIOLATION)
		abort();
}

/* The host on the other CPU: calls that may well fail. */
static void host_step(struct fuzz *f)
{
	uint64_t i = take8(&f->in) % NR_GPAS;
	struct seam_regs regs = { .rcx = i * SZ_4K, .rdx = TDR, .r8 = PG(FIRST_PRIVATE + i) };

	switch (take8(&f->in) % 6) {
	case 0:
		regs.rax = TDH_MEM_PAGE_AUG;
		break;
	case 1:
		regs.rax = TDH_MEM_RANGE_BLOCK;
		break;
	case 2:
		regs = (struct seam_regs){ .rax = TDH_MEM_TRACK, .rcx = TDR };
		break;
	case 3:
		regs.rax = TDH_MEM_PAGE_REMOVE;
		break;
	case 4:
		put64(EPT_TABLE(take8(&f->in) % 4) + (take8(&f->in) & 1 ? 256 * 8 : 0), take64(&f->in));
		return;
	default:
		*fuzz_mem(PID + take8(&f->in) % 32) = take8(&f->in);
		*fuzz_mem(PID + 32) |= 1;
		return;
	}
	seam_call(f->seam, 1, &regs);
}

static void step(struct fuzz *f)
{
	if (take8(&f->in) % 4 == 0)
		host_step(f);
	else if (f->inside)
		guest_step(f);
	else
		enter(f);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz f = { .in = { data, data + size } };
	struct seam_machine machine = fuzz_machine(&f);
	struct seam_config cfg;

	machine.violation = on_violation;
	machine.can_run_guest = can_run_guest;
	fuzz_config(&cfg, 2);
	f.seam = fuzz_new(&cfg, &machine);
	start_module(&f);
	start_td(&f);
	set_up_host_memory(&f);
	while (f.in.p < f.in.end)
		step(&f);
	if (f.inside)
		stop(&f, (struct guest_exit){ .why = GUEST_STOP_HOST_EVENT });
	seam_free(f.seam);
	return 0;
}
