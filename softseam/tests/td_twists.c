// SPDX-License-Identifier: GPL-2.0-only
#include "td_twists.h"

#define DEFINE_TWIST(name, ...)					\
	void name(struct host *h, struct seam_regs *in)		\
	{							\
		(void)h;					\
		(void)in;					\
		__VA_ARGS__;					\
	}

static struct pamt_entry *region(struct host *h, uint64_t pa)
{
	return pamt_entry(&h->seam->pamt, pa, PS_2M);
}

#define DEFINE_REG_TWISTS(reg)							\
	DEFINE_TWIST(reg ## _misaligned, in->reg |= 0x10)			\
	DEFINE_TWIST(reg ## _keyid, in->reg |= TD_KEYID(TD_HKID))		\
	DEFINE_TWIST(reg ## _above_maxpa, in->reg |= TD_KEYID(64))		\
	DEFINE_TWIST(reg ## _no_tdmr, in->reg = 3 * GB)				\
	DEFINE_TWIST(reg ## _no_init, in->reg = 16 * MB;			\
		     atomic_store(&h->seam->tdmr[0].next, 0))			\
	DEFINE_TWIST(reg ## _reserved, in->reg = HOST_PAMT)			\
	DEFINE_TWIST(reg ## _used, in->reg = PG(120);				\
		     host_page(h, PG(120))->type = PT_TDCX)			\
	DEFINE_TWIST(reg ## _free, in->reg = FREE_PAGE)				\
	DEFINE_TWIST(reg ## _large, in->reg = FREE_2M;				\
		     region(h, FREE_2M)->type = PT_REG)				\
	DEFINE_TWIST(reg ## _shared, lock_try_shared(&host_page(h, in->reg)->lock)) \
	DEFINE_TWIST(reg ## _exclusive, lock_try_exclusive(&host_page(h, in->reg)->lock)) \
	DEFINE_TWIST(reg ## _region, in->reg = FREE_2M;				\
		     lock_try_exclusive(&region(h, FREE_2M)->lock))		\
	DEFINE_TWIST(reg ## _not_ram, h->not_ram = in->reg)

DEFINE_REG_TWISTS(rcx)
DEFINE_REG_TWISTS(rdx)
DEFINE_REG_TWISTS(r8)

DEFINE_TWIST(td_fatal, atomic_store(&host_td(h)->fatal, true))
DEFINE_TWIST(td_no_keys, atomic_store(&host_td(h)->lifecycle, TD_HKID_ASSIGNED))
DEFINE_TWIST(td_few_pages, host_td(h)->nr_tdcx = TDCS_PAGES - 1)
DEFINE_TWIST(td_op_locked, lock_try_exclusive(&host_td(h)->op_state_lock))
DEFINE_TWIST(td_op_uninit, atomic_store(&host_td(h)->op_state, OP_UNINIT))
DEFINE_TWIST(td_op_init, atomic_store(&host_td(h)->op_state, OP_INIT))
DEFINE_TWIST(td_op_runnable, atomic_store(&host_td(h)->op_state, OP_RUNNABLE))
DEFINE_TWIST(tdr_locked_shared, lock_try_shared(&host_page(h, TDR)->lock))
DEFINE_TWIST(tdr_locked_exclusive, lock_try_exclusive(&host_page(h, TDR)->lock))

DEFINE_TWIST(gpa_low_bits, in->rcx |= 0x800)
DEFINE_TWIST(gpa_high_bits, in->rcx |= 1ULL << 63)
DEFINE_TWIST(gpa_shared, in->rcx |= 1ULL << 47)
DEFINE_TWIST(gpa_beyond, in->rcx |= 1ULL << 51)
DEFINE_TWIST(gpa_level_7, in->rcx = 7)
DEFINE_TWIST(tree_shared, lock_try_shared(&host_td(h)->sept.lock))
DEFINE_TWIST(tree_exclusive, lock_try_exclusive(&host_td(h)->sept.lock))
