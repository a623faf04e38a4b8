// SPDX-License-Identifier: GPL-2.0-only
/* One line of text for one SEAMCALL. */
#include <inttypes.h>
#include <stdarg.h>

#include "exit_name.h"
#include "leaves.h"
#include "vmx.h"

#define NS_PER_SEC	UINT64_C(1000000000)

/* What to say of a leaf whose operands have no names. */
static const struct leaf_reg raw_regs[] = {
	{ offsetof(struct seam_regs, rcx), "rcx" },
	{ offsetof(struct seam_regs, rdx), "rdx" },
	{ offsetof(struct seam_regs, r8), "r8" },
	{ offsetof(struct seam_regs, r9), "r9" },
};

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
static void add_outputs(struct line *l, const struct leaf *leaf, const struct seam_event *e)
{
	for (unsigned int i = 0; i < LEAF_MAX_REGS && leaf->out[i].name; i++) {
		uint64_t before = leaf_reg_value(e->in, &leaf->out[i]);
		uint64_t after = leaf_reg_value(e->out, &leaf->out[i]);

		if (after != before || !(e->out->rax & TDX_STATUS_ERROR))
			add_regs(l, &leaf->out[i], 1, e->out);
	}
}

static void add_leaf(struct line *l, const struct leaf *leaf, const struct seam_regs *in)
{
	uint64_t version = in->rax >> 16;

	if (leaf)
		add(l, " %s", leaf->name);
	else
		add(l, " leaf %" PRIu64, in->rax & 0xffff);
	if (version)
		add(l, "/0x%" PRIx64, version);

	if (leaf && leaf->run)
		add_regs(l, leaf->in, LEAF_MAX_REGS, in);
	else
		add_regs(l, raw_regs, ARRAY_SIZE(raw_regs), in);
}

/* What a guest asked for with TDG.VP.VMCALL. */
static void add_vmcall(struct line *l, const struct seam_regs *r)
{
	const char *name = r->r10 ? NULL : vmcall_name(r->r11);

	if (name)
		add(l, " vmcall=%s", name);
	else
		add(l, " vmcall=0x%" PRIx64 ",0x%" PRIx64, r->r10, r->r11);
	add(l, " r12=0x%" PRIx64 " r13=0x%" PRIx64 " r14=0x%" PRIx64 " r15=0x%" PRIx64,
	    r->r12, r->r13, r->r14, r->r15);
}

/* Why a vCPU left its TD. */
static void add_guest_exit(struct line *l, const struct leaf *leaf, const struct seam_event *e)
{
	uint64_t reason = (uint32_t)e->out->rax;
	const char *name = exit_reason_name(reason);

	if (e->out->rax & TDX_STATUS_ERROR)
		return;
	if (name)
		add(l, " exit=%s", name);
	else
		add(l, " exit=%" PRIu64, reason);
	if (reason == VMX_TDCALL)
		add_vmcall(l, e->out);
	else if (reason == VMX_EPT_VIOLATION)
		add_regs(l, leaf->out, LEAF_MAX_REGS, e->out);
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
	const struct leaf *leaf = leaf_get(e->in->rax & 0xffff);
	struct line l = { .buf = buf, .size = len };

	add(&l, "[%5" PRIu64 ".%09" PRIu64 "] cpu%u", e->start / NS_PER_SEC,
	    e->start % NS_PER_SEC, e->cpu);
	add_leaf(&l, leaf, e->in);
	add_end(&l, e);
	if (leaf && leaf->flags & LEAF_GUEST && e->how == SEAM_END_DONE)
		add_guest_exit(&l, leaf, e);
	else if (leaf && e->how == SEAM_END_DONE)
		add_outputs(&l, leaf, e);
	add(&l, " %" PRIu64 "ns", e->end - e->start);
	if (e->injected)
		add(&l, " injected");
	return (int)l.len;
}
