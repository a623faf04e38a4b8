// SPDX-License-Identifier: GPL-2.0-only
/* What a guest's physical addresses lead to, and what happens where they do not. */
#include "guest_memory.h"
#include "guest_stage2.h"
#include "range.h"
#include "shared_ept.h"

#define ENTRY_RWX	7ULL
#define ENTRY_RX	5ULL

static bool map_private(struct guest_ctx *x, uint64_t gpa, struct guest_map *map)
{
	struct sept_view view;

	sept_look(&x->td->sept, gpa, &view);
	if (view.state != SEPT_MAPPED && view.state != SEPT_BLOCKEDW)
		return false;
	*map = (struct guest_map){
		.gpa = view.gpa,
		.size = sept_level_bytes(view.level),
		.writable = view.state == SEPT_MAPPED,
		.executable = true,
		.is_private = true,
		.pa = view.hpa,
	};
	return true;
}

/* Nothing is executed from memory of the host, whatever its EPT says. */
static bool map_shared(struct guest_ctx *x, uint64_t gpa, struct guest_map *map)
{
	uint64_t root = atomic_load(&x->vcpu->vmcs.shared_eptp);
	struct shared_ept_walk walk;
	uint64_t bytes;

	shared_ept_walk(x->s, root, x->td->sept.root_level + 1, gpa, &walk);
	if (walk.result != SHARED_EPT_PRESENT || !(walk.access & EPT_READ))
		return false;
	bytes = sept_level_bytes(walk.level);
	*map = (struct guest_map){
		.gpa = gpa & ~(bytes - 1),
		.size = bytes,
		.writable = walk.access & EPT_WRITE,
		.pa = walk.hpa,
	};
	return true;
}

/* A page of 1G as the page of 2M in it. */
static void narrow(uint64_t gpa, struct guest_map *map)
{
	uint64_t offset = (gpa - map->gpa) & ~(SZ_2M - 1);

	if (map->size <= SZ_2M)
		return;
	map->gpa += offset;
	map->pa += offset;
	map->size = SZ_2M;
}

bool guest_find(struct guest_ctx *x, uint64_t gpa, struct guest_map *map)
{
	bool found;

	if (gpa >> x->td->params.gpaw)
		return false;
	found = guest_gpa_is_shared(x->td, gpa) ? map_shared(x, gpa, map) :
						  map_private(x, gpa, map);
	if (found)
		narrow(gpa, map);
	return found;
}

static uint64_t access_bits(const struct guest_exit *e)
{
	return (e->read ? EPT_QUAL_READ : 0) | (e->write ? EPT_QUAL_WRITE : 0) |
	       (e->fetch ? EPT_QUAL_FETCH : 0);
}

/*
 * The CPU itself makes a #VE of a violation that the host does not want to hear
 * of, if VE_INFO is free.
 */
static void shared_violation(struct guest_ctx *x)
{
	uint64_t root = atomic_load(&x->vcpu->vmcs.shared_eptp);
	uint64_t gpa = x->exit->gpa;
	struct shared_ept_walk walk;
	uint64_t qual;

	shared_ept_walk(x->s, root, x->td->sept.root_level + 1, gpa, &walk);
	if (walk.result == SHARED_EPT_MISCONFIGURED) {
		guest_leave(x, TDX_SUCCESS, VMX_EPT_MISCONFIG);
		x->out.r8 = gpa & ~(SZ_4K - 1);
		return;
	}

	qual = access_bits(x->exit) | (walk.access & EPT_ACCESS) << EPT_QUAL_ENTRY_SHIFT;
	if (walk.entry & EPT_SUPPRESS_VE || x->g->ve.valid)
		guest_leave_memory(x, qual, EXT_QUAL_NONE, gpa);
	else
		guest_inject_ve_memory(x, qual, gpa);
}

static uint64_t private_access(enum sept_state state)
{
	if (state == SEPT_MAPPED)
		return ENTRY_RWX;
	return state == SEPT_BLOCKEDW ? ENTRY_RX : 0;
}

/* Remember violations at one instruction: see guest_check_stepping(). */
static void log_violation(struct guest_ctx *x, uint64_t gpa)
{
	struct stepping *log = &x->g->stepping;

	if (log->rip != x->r->rip)
		*log = (struct stepping){ .rip = x->r->rip };
	if (log->nr < STEPPING_LOG)
		log->gpa[log->nr++] = gpa & ~(SZ_4K - 1);
}

static bool pending_is_ve(const struct td *td)
{
	return !(td->params.attributes & TD_ATTR_SEPT_VE_DISABLE) &&
	       !(atomic_load(&td->td_ctls) & TD_CTLS_PENDING_VE_DISABLE);
}

static void private_violation(struct guest_ctx *x)
{
	uint64_t gpa = x->exit->gpa;
	uint64_t extended = EXT_QUAL_NONE;
	struct sept_view view;
	uint64_t qual;

	sept_look(&x->td->sept, gpa, &view);
	qual = access_bits(x->exit) | private_access(view.state) << EPT_QUAL_ENTRY_SHIFT;
	if (view.state == SEPT_PENDING) {
		if (pending_is_ve(x->td)) {
			guest_inject_ve_memory(x, qual, gpa);
			return;
		}
		extended = EXT_QUAL_PENDING;
	}
	log_violation(x, gpa);
	guest_leave_memory(x, qual, extended, gpa);
}

/* The page may have come by now. */
static bool allowed(const struct guest_ctx *x, const struct guest_map *map)
{
	return (!x->exit->write || map->writable) && (!x->exit->fetch || map->executable);
}

void guest_on_memory(struct guest_ctx *x)
{
	uint64_t gpa = x->exit->gpa;
	struct guest_map map;

	if (guest_find(x, gpa, &map) && allowed(x, &map))
		return;
	if (guest_gpa_is_shared(x->td, gpa))
		shared_violation(x);
	else
		private_violation(x);
}

/* The host has done what it can about a violation there. */
static bool host_has_mapped(struct guest_ctx *x, uint64_t gpa)
{
	struct sept_view view;

	sept_look(&x->td->sept, gpa, &view);
	return view.state == SEPT_MAPPED || view.state == SEPT_PENDING ||
	       view.state == SEPT_BLOCKEDW;
}

uint64_t guest_check_stepping(struct guest_ctx *x)
{
	struct stepping *log = &x->g->stepping;

	if (log->nr < STEPPING_LOG)
		return TDX_SUCCESS;
	if (!lock_try_exclusive(&x->td->sept.lock))
		return TDX_OPERAND_BUSY | OPERAND_SEPT_TREE;
	for (unsigned int i = 0; i < log->nr; i++) {
		if (host_has_mapped(x, log->gpa[i]))
			continue;
		guest_leave_memory(x, EPT_QUAL_WRITE, EXT_QUAL_NONE, log->gpa[i]);
		break;
	}
	if (!x->leave)
		log->nr = 0;
	lock_release(&x->td->sept.lock, LOCK_EXCLUSIVE);
	return TDX_SUCCESS;
}
