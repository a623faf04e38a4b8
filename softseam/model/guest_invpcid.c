// SPDX-License-Identifier: GPL-2.0-only
/*
 * INVPCID, which the machine's CPUs lack and TDs have.  The machine keeps no
 * translations by PCID, so whatever a guest asks to be dropped, all are.
 */
#include "guest_access.h"
#include "guest_memory.h"
#include "virtual_cpuid.h"

enum invpcid_type { ADDRESS, ONE_PCID, ALL, ALL_BUT_GLOBAL };

struct descriptor {
	uint64_t pcid, linear;
};

#define PCID_BITS		12
#define EXT_FEATURES_EBX_INVPCID	(1U << 10)

/* Where the linear address sign-extends from. */
static bool is_canonical(const struct guest_cpu *r, uint64_t linear)
{
	unsigned int above = r->cr4 & CR4_LA57 ? 7 : 16;

	return (uint64_t)((int64_t)(linear << above) >> above) == linear;
}

static bool is_valid(const struct guest_cpu *r, uint64_t type, const struct descriptor *d)
{
	if (type > ALL_BUT_GLOBAL || d->pcid >> PCID_BITS)
		return false;
	if (type <= ONE_PCID && d->pcid && !(r->cr4 & CR4_PCIDE))
		return false;
	return type != ADDRESS || is_canonical(r, d->linear);
}

/* The guest's page fault, or a violation if its tables lead to what is not there. */
static void miss(struct guest_ctx *x, uint64_t linear)
{
	struct guest_walk walk;

	guest_walk(x, linear, &walk);
	if (walk.found || !guest_page(x, walk.gpa)) {
		guest_touch(x, walk.gpa, false);
		return;
	}
	x->r->cr2 = linear;
	guest_inject(x, VECTOR_PF, true, 0);
}

/* Returns false if the operand could not be read, and what comes of that is done. */
static bool read_operand(struct guest_ctx *x, struct descriptor *d)
{
	struct guest_access access[GUEST_ACCESSES_MAX];
	uint8_t code[GUEST_INSN_MAX];
	size_t avail = guest_fetch(x, code, sizeof(code)), done;

	if (!guest_accesses(x->r, code, avail, access)) {
		guest_inject_ud(x);
		return false;
	}
	done = guest_read(x, access[0].first, d, sizeof(*d));
	if (done < sizeof(*d))
		miss(x, access[0].first + done);
	return done == sizeof(*d);
}

static bool is_there(const struct td *td)
{
	const uint32_t *v = virtual_cpuid_find(td->cpuid, CPUID_EXT_FEATURES, 0);

	return v && v[EBX] & EXT_FEATURES_EBX_INVPCID;
}

void guest_on_invpcid(struct guest_ctx *x)
{
	struct descriptor d;

	if (!is_there(x->td)) {
		guest_inject_ud(x);
		return;
	}
	if (guest_cpl(x->r)) {
		guest_inject_gp(x);
		return;
	}
	if (!read_operand(x, &d))
		return;
	if (!is_valid(x->r, guest_gpr(x->r, x->insn.gpr), &d)) {
		guest_inject_gp(x);
		return;
	}
	x->g->run.drop_linear = true;
	guest_skip_insn(x);
}
