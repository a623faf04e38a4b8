// SPDX-License-Identifier: GPL-2.0-only
/* SEAMCALL: from the instruction to the leaf and back. */
#include "guest_vcpu.h"
#include "leaves.h"
#include "vp_enter.h"

#define RAX_LEAF	0x000000000000FFFFULL
#define RAX_VERSION	0x0000000000FF0000ULL
/* The call is for the P-SEAM loader. */
#define RAX_P_SEAMLDR	(1ULL << 63)

/* Does FEATURES0 have one of @features, if any is asked for? */
static bool offers(const struct seam *s, uint64_t features)
{
	return !features || s->cfg.features0 & features;
}

/* Common checks on RAX. */
static uint64_t check_rax(const struct seam *s, const struct leaf *leaf, uint64_t rax)
{
	uint64_t version = (rax & RAX_VERSION) >> 16;

	if (rax & ~(RAX_LEAF | RAX_VERSION))
		return TDX_OPERAND_INVALID | OPERAND_RAX;
	if (!leaf || !leaf->run || !offers(s, leaf->features))
		return TDX_OPERAND_INVALID | OPERAND_RAX;
	if (version > leaf->version || (version && !offers(s, leaf->version_features)))
		return TDX_OPERAND_INVALID | OPERAND_RAX;
	return TDX_SUCCESS;
}

/*
 * Take the module's own lock.  A refused SYS.DISABLE keeps new TDH.SYS leaves
 * out, so that it succeeds once those that run have ended.
 */
static bool enter(struct seam *s, const struct leaf *leaf, enum lock_mode mode)
{
	bool disable = leaf->run == tdh_sys_disable;

	if (leaf->flags & LEAF_SYS && !disable && atomic_load(&s->disable_pending))
		return false;
	if (lock_try(&s->sys_lock, mode))
		return true;
	if (disable)
		atomic_store(&s->disable_pending, true);
	return false;
}

/* Common checks on the state of the system and of the LP. */
static uint64_t check_state(struct seam *s, const struct call *c)
{
	unsigned int state = atomic_load(&s->sys_state);

	if (state == SYS_SHUTDOWN)
		return TDX_SYS_SHUTDOWN;
	if (state != SYS_READY && !(c->leaf->flags & LEAF_EARLY))
		return TDX_SYS_NOT_READY;
	if (c->leaf->flags & LEAF_LP_INIT && !s->lp[c->cpu].init_done)
		return TDX_SYS_LP_INIT_NOT_DONE;
	return TDX_SUCCESS;
}

bool call_interrupted(struct seam *s, const struct call *c, unsigned int steps)
{
	if (s->cfg.interrupt_every && steps >= s->cfg.interrupt_every)
		return true;
	return s->machine.irq_pending && s->machine.irq_pending(s->machine.opaque, c->cpu);
}

static void write_outputs(const struct leaf *leaf, struct call *c, struct seam_regs *regs)
{
	for (unsigned int i = 0; i < LEAF_MAX_REGS && leaf->out[i].name; i++)
		*leaf_reg_ptr(regs, &leaf->out[i]) = leaf_reg_value(&c->out, &leaf->out[i]);
}

static void write_all(const struct call *c, struct seam_regs *regs)
{
	uint64_t rbp = regs->rbp;

	*regs = c->out;
	regs->rbp = rbp;
}

/*
 * Returns the completion status; outputs are in @regs.  A call that runs a guest
 * keeps the module's lock.
 */
static uint64_t run(struct seam *s, unsigned int cpu, const struct leaf *leaf,
		    struct seam_regs *regs, bool *runs_guest)
{
	struct call c = { .cpu = cpu, .leaf = leaf, .in = *regs };
	uint64_t status = check_rax(s, leaf, regs->rax);
	enum lock_mode mode;

	*runs_guest = false;

	if (status)
		return status;
	mode = leaf->flags & LEAF_EXCLUSIVE ? LOCK_EXCLUSIVE : LOCK_SHARED;
	if (!enter(s, leaf, mode))
		return TDX_SYS_BUSY;

	status = check_state(s, &c);
	if (!status) {
		status = leaf->run(s, &c);
		if (!(leaf->flags & LEAF_GUEST))
			write_outputs(leaf, &c, regs);
		else if (c.writes_all)
			write_all(&c, regs);
	}

	*runs_guest = c.runs_guest;
	if (!c.runs_guest)
		lock_release(&s->sys_lock, mode);
	return status;
}

/* The instruction: does it reach the module at all? */
static enum seam_end execute(struct seam *s, unsigned int cpu, const struct leaf *leaf,
			     struct seam_regs *regs, bool *injected)
{
	enum seam_end how = SEAM_END_DONE;
	bool runs_guest = false;
	uint64_t status;

	*injected = inject(&s->injector, &s->cfg, regs->rax & RAX_LEAF, &how, &status);
	if (!*injected) {
		if (!s->cfg.module_loaded || regs->rax & RAX_P_SEAMLDR)
			return SEAM_END_VMFAILINVALID;
		status = run(s, cpu, leaf, regs, &runs_guest);
		if (runs_guest)
			return SEAM_END_RUN_GUEST;
	}
	if (how == SEAM_END_DONE)
		regs->rax = status;
	return how;
}

static void count(struct seam *s, const struct leaf *leaf, const struct seam_event *e)
{
	struct counter *n;

	if (!leaf) {
		atomic_fetch_add(&s->unknown, 1);
		return;
	}

	n = &s->count[e->in->rax & RAX_LEAF];
	atomic_fetch_add(&n->calls, 1);
	atomic_fetch_add(&n->ns, e->end - e->start);
	if (e->how != SEAM_END_DONE || e->out->rax & TDX_STATUS_ERROR)
		atomic_fetch_add(&n->errors, 1);
	if (e->injected)
		atomic_fetch_add(&n->injected, 1);
}

static void finish(struct seam *s, struct seam_event *e)
{
	e->end = s->machine.now(s->machine.opaque);
	count(s, leaf_get(e->in->rax & RAX_LEAF), e);
	if (s->machine.event)
		s->machine.event(s->machine.opaque, e);
}

enum seam_end seam_call(struct seam *s, unsigned int cpu, struct seam_regs *regs)
{
	const struct leaf *leaf = leaf_get(regs->rax & RAX_LEAF);
	struct seam_regs in = *regs;
	struct seam_event e = { .cpu = cpu, .in = &in, .out = regs };

	e.start = s->machine.now(s->machine.opaque);
	e.how = execute(s, cpu, leaf, regs, &e.injected);
	if (e.how == SEAM_END_RUN_GUEST) {
		s->guest_lp[cpu].in = in;
		s->guest_lp[cpu].start = e.start;
		return e.how;
	}
	finish(s, &e);
	return e.how;
}

enum seam_end seam_guest_exit(struct seam *s, unsigned int cpu, const struct guest_exit *exit,
			      struct guest_result *result)
{
	struct guest_lp *lp = &s->guest_lp[cpu];
	struct seam_event e = {
		.cpu = cpu, .start = lp->start, .in = &lp->in, .out = &result->regs,
	};

	*result = (struct guest_result){ .regs = lp->in };
	if (!vp_exit(s, cpu, exit, result))
		return SEAM_END_RUN_GUEST;
	lock_release(&s->sys_lock, LOCK_SHARED);
	finish(s, &e);
	return SEAM_END_DONE;
}

void seam_wbinvd(struct seam *s, unsigned int cpu)
{
	atomic_store(&s->lp[cpu].caches_clean, true);
}
