// SPDX-License-Identifier: GPL-2.0-only
#include <string.h>

#include "guest_access.h"
#include "guest_memory.h"
#include "range.h"
#include "shared_ept.h"

#define PT_PRESENT	(1ULL << 0)
#define PT_LARGE	(1ULL << 7)
#define PT_ADDRESS	0x000FFFFFFFFFF000ULL
#define CR4_PSE		(1ULL << 4)

uint64_t guest_shared_bit(const struct td *td)
{
	return 1ULL << (td->params.gpaw - 1);
}

bool guest_gpa_is_shared(const struct td *td, uint64_t gpa)
{
	return gpa & guest_shared_bit(td);
}

static void *shared_page(struct guest_ctx *x, uint64_t gpa)
{
	uint64_t root = atomic_load(&x->vcpu->vmcs.shared_eptp);
	struct shared_ept_walk walk;
	uint64_t pa;

	shared_ept_walk(x->s, root, x->td->sept.root_level + 1, gpa, &walk);
	if (walk.result != SHARED_EPT_PRESENT)
		return NULL;
	pa = walk.hpa + (gpa & (sept_level_bytes(walk.level) - 1));
	return x->s->machine.ram(x->s->machine.opaque, pa, SZ_4K - (pa & (SZ_4K - 1)));
}

void *guest_page(struct guest_ctx *x, uint64_t gpa)
{
	struct sept_view view;

	if (guest_gpa_is_shared(x->td, gpa))
		return shared_page(x, gpa);
	if (gpa >> x->td->params.gpaw)
		return NULL;
	sept_look(&x->td->sept, gpa, &view);
	if (view.state != SEPT_MAPPED)
		return NULL;
	return (char *)plain_at(x->s, view.hpa) + (gpa - view.gpa);
}

/* How the guest's page tables are built. */
struct paging {
	unsigned int levels, index_bits, entry_bytes;
};

static struct paging paging_mode(const struct guest_cpu *r)
{
	if (r->efer & EFER_LONG_ACTIVE)
		return (struct paging){ r->cr4 & CR4_LA57 ? 5 : 4, 9, 8 };
	if (r->cr4 & CR4_PAE)
		return (struct paging){ 3, 9, 8 };
	return (struct paging){ 2, 10, 4 };
}

static bool read_pte(struct guest_ctx *x, uint64_t gpa, unsigned int bytes, uint64_t *pte)
{
	const void *at = guest_page(x, gpa);

	if (!at)
		return false;
	*pte = bytes == 8 ? *(const uint64_t *)at : *(const uint32_t *)at;
	return *pte & PT_PRESENT;
}

/* Where a page that is mapped as one entry begins. */
static uint64_t large_page(const struct paging *mode, uint64_t pte, uint64_t offset_mask)
{
	/* Bits 39:32 of a page of 4M. */
	if (mode->entry_bytes == 4)
		return (pte & 0xFFC00000) | (pte & 0x1FE000) << 19;
	return pte & PT_ADDRESS & ~offset_mask;
}

/* By tables that the CPU just walked: permissions need no second look. */
static void walk_tables(struct guest_ctx *x, uint64_t linear, struct guest_walk *walk)
{
	struct paging mode = paging_mode(x->r);
	uint64_t table = x->r->cr3 & (mode.levels == 3 ? 0xFFFFFFE0 : PT_ADDRESS);
	bool large_allowed = mode.entry_bytes == 8 || x->r->cr4 & CR4_PSE;

	for (unsigned int level = mode.levels; level-- > 0;) {
		unsigned int shift = 12 + level * mode.index_bits;
		uint64_t index = linear >> shift & ((1ULL << mode.index_bits) - 1);
		uint64_t mask = (1ULL << shift) - 1;
		uint64_t pte;

		walk->gpa = table + index * mode.entry_bytes;
		if (!read_pte(x, walk->gpa, mode.entry_bytes, &pte))
			return;
		if (level && level < 3 && pte & PT_LARGE && large_allowed) {
			walk->gpa = large_page(&mode, pte, mask) | (linear & mask);
			walk->found = true;
			return;
		}
		table = pte & PT_ADDRESS;
	}
	walk->gpa = table | (linear & (SZ_4K - 1));
	walk->found = true;
}

void guest_walk(struct guest_ctx *x, uint64_t linear, struct guest_walk *walk)
{
	*walk = (struct guest_walk){ .gpa = linear, .found = !(x->r->cr0 & CR0_PG) };
	if (!walk->found)
		walk_tables(x, linear, walk);
}

/* Returns how many bytes there were, up to the end of the page. */
static size_t read_page(struct guest_ctx *x, uint64_t linear, void *to, size_t len)
{
	size_t avail = SZ_4K - (linear & (SZ_4K - 1));
	struct guest_walk walk;
	const void *at;

	guest_walk(x, linear, &walk);
	at = walk.found ? guest_page(x, walk.gpa) : NULL;
	if (!at)
		return 0;
	if (len > avail)
		len = avail;
	memcpy(to, at, len);
	return len;
}

size_t guest_read(struct guest_ctx *x, uint64_t linear, void *to, size_t len)
{
	size_t done = 0, n;

	do {
		n = read_page(x, linear + done, (char *)to + done, len - done);
		done += n;
	} while (n && done < len);
	return done;
}

size_t guest_fetch(struct guest_ctx *x, uint8_t *code, size_t len)
{
	size_t done = 0, n;

	do {
		n = read_page(x, guest_linear(x->r, SEG_CS, x->r->rip + done), code + done,
			      len - done);
		done += n;
	} while (n && done < len);
	return done;
}

void guest_touch(struct guest_ctx *x, uint64_t gpa, bool write)
{
	const struct guest_exit access = {
		.why = GUEST_STOP_MEMORY, .gpa = gpa, .read = !write, .write = write,
	};
	const struct guest_exit *stop = x->exit;

	x->exit = &access;
	guest_on_memory(x);
	x->exit = stop;
}

void *guest_operand(struct guest_ctx *x, uint64_t gpa, uint64_t align, uint32_t op,
		    uint64_t *status)
{
	void *at;

	*status = TDX_SUCCESS;
	if (gpa & (align - 1) || gpa >> x->td->params.gpaw || guest_gpa_is_shared(x->td, gpa)) {
		*status = TDX_OPERAND_INVALID | op;
		return NULL;
	}

	at = guest_page(x, gpa);
	if (!at)
		guest_touch(x, gpa, true);
	return at;
}
