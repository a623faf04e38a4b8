// SPDX-License-Identifier: GPL-2.0-only
/* One line of text for one SEAMCALL. */
#include <inttypes.h>
#include <stdarg.h>

#include "exit_name.h"
#include "leaves.h"
#include "vmx.h"

#define NS_PER_SEC	UINT64_C(1000000000)

#define RAX_LEAF	UINT64_C(0xffff)

/* What to say of a leaf whose operands have no names. */
static const struct leaf_reg raw_regs[LEAF_MAX_REGS] = {
	{ offsetof(struct seam_regs, rcx), "rcx" },
	{ offsetof(struct seam_regs, rdx), "rdx" },
	{ offsetof(struct seam_regs, r8), "r8" },
	{ offsetof(struct seam_regs, r9), "r9" },
};

/* Operands of TDG.VP.VMCALL; the first two say what it is. */
static const struct leaf_reg vmcall_regs[LEAF_MAX_REGS] = {
	{ offsetof(struct seam_regs, r10), "r10" },
	{ offsetof(struct seam_regs, r11), "r11" },
	{ offsetof(struct seam_regs, r12), "r12" },
	{ offsetof(struct seam_regs, r13), "r13" },
	{ offsetof(struct seam_regs, r14), "r14" },
	{ offsetof(struct seam_regs, r15), "r15" },
};

static const struct leaf_reg no_regs[LEAF_MAX_REGS];

static const struct leaf *leaf_of(const struct seam_event *e)
{
	return leaf_get(e->in->rax & RAX_LEAF);
}

/* A vCPU ran and left its TD: RAX has the reason. */
static bool is_exit(const struct seam_event *e)
{
	const struct leaf *leaf = leaf_of(e);

	return leaf && leaf->flags & LEAF_GUEST && e->how == SEAM_END_DONE &&
	       !(e->out->rax & TDX_STATUS_ERROR);
}

static uint32_t exit_reason(const struct seam_event *e)
{
	return (uint32_t)e->out->rax;
}

const char *seam_event_exit(const struct seam_event *e)
{
	return is_exit(e) ? exit_reason_name(exit_reason(e)) : NULL;
}

const char *seam_event_vmcall(const struct seam_event *e)
{
	bool asks = is_exit(e) && exit_reason(e) == VMX_TDCALL && !e->out->r10;

	return asks ? vmcall_name(e->out->r11) : NULL;
}

static const struct leaf_reg *inputs(const struct leaf *leaf)
{
	return leaf && leaf->run ? leaf->in : raw_regs;
}

/* What the host may look at. */
static const struct leaf_reg *outputs(const struct seam_event *e)
{
	const struct leaf *leaf = leaf_of(e);

	if (!leaf || e->how != SEAM_END_DONE)
		return no_regs;
	if (!(leaf->flags & LEAF_GUEST))
		return leaf->out;
	if (!is_exit(e))
		return no_regs;
	switch (exit_reason(e)) {
	case VMX_TDCALL:
		return vmcall_regs;
	case VMX_EPT_VIOLATION:
	case VMX_EPT_MISCONFIG:
		return leaf->out;
	default:
		return no_regs;
	}
}

bool seam_event_operand(const struct seam_event *e, bool output, unsigned int nth,
			const char **meaning, uint64_t *value)
{
	const struct leaf_reg *reg = output ? outputs(e) : inputs(leaf_of(e));

	if (nth >= LEAF_MAX_REGS || !reg[nth].name)
		return false;
	*meaning = reg[nth].name;
	*value = leaf_reg_value(output ? e->out : e->in, &reg[nth]);
	return true;
}

/* Appends like snprintf(): what does not fit is only counted. */
struct line {
	char *buf;
	size_t size, len;
};

__attribute__((format(printf, 2, 3)))
static void add(struct line *l, const char *fmt, ...)
{
	size_t room = l->len < l->size ? l->size - l->len : 0;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(room ? l->buf + l->len : NULL, room, fmt, ap);
	va_end(ap);
	l->len += (size_t)n;
}

static void add_regs(struct line *l, const struct leaf_reg *reg, unsigned int nr,
		     const struct seam_regs *regs)
{
	for (unsigned int i = 0; i < nr && reg[i].name; i++)
		add(l, " %s=0x%" PRIx64, reg[i].name, leaf_reg_value(regs, &reg[i]));
}

/* A call that fails early leaves registers as they were: nothing to tell. */
static void add_outputs(struct line *l, const struct seam_event *e)
{
	const struct leaf_reg *reg = outputs(e);

	for (unsigned int i = 0; i < LEAF_MAX_REGS && reg[i].name; i++) {
		uint64_t before = leaf_reg_value(e->in, &reg[i]);
		uint64_t after = leaf_reg_value(e->out, &reg[i]);

		if (after != before || !(e->out->rax & TDX_STATUS_ERROR))
			add_regs(l, &reg[i], 1, e->out);
	}
}

static void add_leaf(struct line *l, const struct leaf *leaf, const struct seam_regs *in)
{
	uint64_t version = in->rax >> 16;

	if (leaf)
		add(l, " %s", leaf->name);
	else
		add(l, " leaf %" PRIu64, in->rax & RAX_LEAF);
	if (version)
		add(l, "/0x%" PRIx64, version);

	add_regs(l, inputs(leaf), LEAF_MAX_REGS, in);
}

/* Why a vCPU left its TD, and what the host needs to know then. */
static void add_exit(struct line *l, const struct seam_event *e)
{
	const char *reason = seam_event_exit(e), *vmcall = seam_event_vmcall(e);
	const struct leaf_reg *reg = outputs(e);

	if (reason)
		add(l, " exit=%s", reason);
	else
		add(l, " exit=%" PRIu32, exit_reason(e));
	if (vmcall) {
		add(l, " vmcall=%s", vmcall);
		reg += 2;
	}
	add_regs(l, reg, LEAF_MAX_REGS, e->out);
}

static void add_end(struct line *l, const struct seam_event *e)
{
	char status[96];

	switch (e->how) {
	case SEAM_END_DONE:
		seam_format_status(status, sizeof(status), e->out->rax);
		add(l, " -> %s", status);
		break;
	case SEAM_END_VMFAILINVALID:
		add(l, " -> VMfailInvalid");
		break;
	case SEAM_END_GP:
		add(l, " -> #GP(0)");
		break;
	case SEAM_END_UD:
		add(l, " -> #UD");
		break;
	case SEAM_END_RUN_GUEST:
		break;
	}
}

int seam_format_event(char *buf, size_t len, const struct seam_event *e)
{
	struct line l = { .buf = buf, .size = len };

	add(&l, "[%5" PRIu64 ".%09" PRIu64 "] cpu%u", e->start / NS_PER_SEC,
	    e->start % NS_PER_SEC, e->cpu);
	add_leaf(&l, leaf_of(e), e->in);
	add_end(&l, e);
	if (is_exit(e))
		add_exit(&l, e);
	else
		add_outputs(&l, e);
	add(&l, " %" PRIu64 "ns", e->end - e->start);
	if (e->injected)
		add(&l, " injected");
	return (int)l.len;
}
