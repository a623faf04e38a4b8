/* SPDX-License-Identifier: GPL-2.0-only */
/* Everything that the leaf functions share: the module's state and a call. */
#ifndef SOFTSEAM_LEAVES_H
#define SOFTSEAM_LEAVES_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "cache.h"
#include "cmr.h"
#include "connect.h"
#include "ext.h"
#include "inject.h"
#include "kot.h"
#include "lines.h"
#include "lock.h"
#include "own.h"
#include "pamt.h"
#include "plain.h"
#include "platform.h"
#include "seam.h"
#include "status.h"
#include "td.h"
#include "tdmr.h"
#include "violation.h"

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))

#define FEATURE_TD_PRESERVING	(1ULL << 1)
#define FEATURE_TDXCONNECT	(1ULL << 6)
#define FEATURE_NO_RBP_MOD	(1ULL << 18)
#define FEATURE_CLFLUSH_BEFORE_ALLOC	(1ULL << 23)
#define FEATURE_DYNAMIC_PAMT	(1ULL << 36)
#define FEATURE_EXT		(1ULL << 39)
#define FEATURE_QUOTE		(1ULL << 50)

/* Leaf numbers that the code names. */
#define TDH_VP_ENTER		0
#define TDH_MNG_ADDCX		1
#define TDH_MEM_PAGE_ADD	2
#define TDH_MEM_SEPT_ADD	3
#define TDH_VP_ADDCX		4
#define TDH_MEM_PAGE_AUG	6
#define TDH_MEM_RANGE_BLOCK	7
#define TDH_MNG_KEY_CONFIG	8
#define TDH_MNG_CREATE		9
#define TDH_VP_CREATE		10
#define TDH_MNG_RD		11
#define TDH_MR_EXTEND		16
#define TDH_MR_FINALIZE		17
#define TDH_VP_FLUSH		18
#define TDH_MNG_VPFLUSHDONE	19
#define TDH_MNG_KEY_FREEID	20
#define TDH_MNG_INIT		21
#define TDH_VP_INIT		22
#define TDH_PHYMEM_PAGE_RDMD	24
#define TDH_VP_RD		26
#define TDH_PHYMEM_PAGE_RECLAIM	28
#define TDH_MEM_PAGE_REMOVE	29
#define TDH_MEM_SEPT_REMOVE	30
#define TDH_SYS_KEY_CONFIG	31
#define TDH_SYS_INIT		33
#define TDH_SYS_RD		34
#define TDH_SYS_LP_INIT		35
#define TDH_SYS_TDMR_INIT	36
#define TDH_MEM_TRACK		38
#define TDH_MEM_RANGE_UNBLOCK	39
#define TDH_PHYMEM_CACHE_WB	40
#define TDH_PHYMEM_PAGE_WBINVD	41
#define TDH_VP_WR		43
#define TDH_SYS_CONFIG		45
#define TDH_PHYMEM_PAMT_ADD	58
#define TDH_PHYMEM_PAMT_REMOVE	59
#define TDH_EXT_INIT		60
#define TDH_EXT_MEM_ADD		61
#define TDH_SYS_DISABLE		69

#define TDH_IOMMU_SETUP		128
#define TDH_IOMMU_CLEAR		129
#define TDH_SPDM_CREATE		130
#define TDH_SPDM_DELETE		131
#define TDH_IDE_STREAM_CREATE	132
#define TDH_IDE_STREAM_DELETE	134

enum sys_state {
	SYS_PENDING		= 0,
	SYS_SYSINIT_DONE	= 1,
	SYS_SYSCONFIG_DONE	= 2,
	SYS_READY		= 3,
	SYS_SHUTDOWN		= 4,
};

struct counter {
	_Atomic uint64_t calls, errors, injected, ns;
};

/* One logical processor. */
struct lp {
	bool init_done;
	/* WBINVD since SYS.CONFIG. */
	atomic_bool caches_clean;
};

struct seam {
	struct seam_config cfg;
	struct seam_machine machine;

	/* Written with @sys_lock exclusive, but for the step to READY (KET). */
	_Atomic unsigned int sys_state;
	/*
	 * Exclusive for leaves that change what all others rely on, shared for
	 * the rest: SYS_BUSY.
	 */
	struct trylock sys_lock;
	/* SYS.DISABLE was refused: no new TDH.SYS leaf may start. */
	atomic_bool disable_pending;

	/* Set by SYS.INIT, constant from then on. */
	struct platform platform;
	struct cmr_table cmrs;

	struct lp lp[SEAM_MAX_CPUS];
	unsigned int nr_lps_init;

	/* Filled by SYS.CONFIG; entries from @nr_tdmrs on mean nothing. */
	_Atomic unsigned int nr_tdmrs;
	_Atomic uint64_t pamt_bytes;
	struct tdmr tdmr[MAX_TDMRS];

	struct pamt pamt;
	/* KeyID of the module's own pages, set by SYS.CONFIG. */
	uint16_t global_hkid;
	struct own own;
	struct plain plain;
	struct lines lines;
	struct ext ext;
	struct connect_table connect;
	struct kot kot;
	struct ket ket;
	struct cache_wb cache_wb[SEAM_MAX_PACKAGES];

	pthread_mutex_t tds_lock;
	/* All TDs, for those who count them. */
	struct td *tds;

	/* Of each LP, for those that are in VP.ENTER. */
	struct guest_lp *guest_lp;
	_Atomic uint64_t next_tlb_id;

	struct injector injector;
	struct counter count[SEAM_MAX_LEAF];
	_Atomic uint64_t unknown;
	_Atomic uint64_t violations[NR_RULES];
};

/* One SEAMCALL on its way through the module. */
struct call {
	unsigned int cpu;
	const struct leaf *leaf;
	struct seam_regs in;
	/* All zero at first; the leaf's outputs reach the host, error or not. */
	struct seam_regs out;
	/* VP.ENTER: the vCPU is to run, and the call is not over. */
	bool runs_guest;
	/* VP.ENTER: all of @out reaches the host, but for RBP; else nothing. */
	bool writes_all;
};

static inline unsigned int call_version(const struct call *c)
{
	return c->in.rax >> 16 & 0xFF;
}

/*
 * A long call that did @steps of its work, and has more to do: should it end and
 * be resumed?
 */
bool call_interrupted(struct seam *s, const struct call *c, unsigned int steps);

#define LEAF_MAX_REGS	9

/* An operand in a register, and its name in a trace. */
struct leaf_reg {
	/* Offset into struct seam_regs. */
	uint8_t offset;
	const char *name;
};

enum leaf_flags {
	/* Runs before the system is READY. */
	LEAF_EARLY	= 1 << 0,
	/* Holds the module alone. */
	LEAF_EXCLUSIVE	= 1 << 1,
	/* A TDH.SYS leaf: waits for a pending SYS.DISABLE. */
	LEAF_SYS	= 1 << 2,
	/* Needs SYS.LP.INIT on its LP. */
	LEAF_LP_INIT	= 1 << 3,
	/* Enters a TD. */
	LEAF_GUEST	= 1 << 4,
};

/* A row of the interface's table of leaves. */
struct leaf {
	const char *name;
	/* NULL: a leaf that this module does not have. */
	uint64_t (*run)(struct seam *s, struct call *c);
	unsigned int flags;
	/* A module without one of these in FEATURES0 does not have it; 0: any has. */
	uint64_t features;
	/* Highest version in RAX[23:16], if FEATURES0 has one of these; 0: always. */
	uint8_t version;
	uint64_t version_features;
	struct leaf_reg in[LEAF_MAX_REGS], out[LEAF_MAX_REGS];
};

/* NULL if the number has no name. */
const struct leaf *leaf_get(uint64_t number);

static inline uint64_t *leaf_reg_ptr(struct seam_regs *regs, const struct leaf_reg *reg)
{
	return (uint64_t *)((char *)regs + reg->offset);
}

static inline uint64_t leaf_reg_value(const struct seam_regs *regs, const struct leaf_reg *reg)
{
	return *(const uint64_t *)((const char *)regs + reg->offset);
}

uint64_t tdh_ext_init(struct seam *s, struct call *c);
uint64_t tdh_ext_mem_add(struct seam *s, struct call *c);
uint64_t tdh_ide_stream_create(struct seam *s, struct call *c);
uint64_t tdh_ide_stream_delete(struct seam *s, struct call *c);
uint64_t tdh_iommu_clear(struct seam *s, struct call *c);
uint64_t tdh_iommu_setup(struct seam *s, struct call *c);
uint64_t tdh_mem_page_add(struct seam *s, struct call *c);
uint64_t tdh_mem_page_aug(struct seam *s, struct call *c);
uint64_t tdh_mem_page_remove(struct seam *s, struct call *c);
uint64_t tdh_mem_range_block(struct seam *s, struct call *c);
uint64_t tdh_mem_range_unblock(struct seam *s, struct call *c);
uint64_t tdh_mem_sept_add(struct seam *s, struct call *c);
uint64_t tdh_mem_sept_remove(struct seam *s, struct call *c);
uint64_t tdh_mem_track(struct seam *s, struct call *c);
uint64_t tdh_mng_addcx(struct seam *s, struct call *c);
uint64_t tdh_mng_create(struct seam *s, struct call *c);
uint64_t tdh_mng_init(struct seam *s, struct call *c);
uint64_t tdh_mng_key_config(struct seam *s, struct call *c);
uint64_t tdh_mng_key_freeid(struct seam *s, struct call *c);
uint64_t tdh_mng_rd(struct seam *s, struct call *c);
uint64_t tdh_mng_vpflushdone(struct seam *s, struct call *c);
uint64_t tdh_mr_extend(struct seam *s, struct call *c);
uint64_t tdh_mr_finalize(struct seam *s, struct call *c);
uint64_t tdh_phymem_cache_wb(struct seam *s, struct call *c);
uint64_t tdh_phymem_page_rdmd(struct seam *s, struct call *c);
uint64_t tdh_phymem_page_reclaim(struct seam *s, struct call *c);
uint64_t tdh_phymem_page_wbinvd(struct seam *s, struct call *c);
uint64_t tdh_phymem_pamt_add(struct seam *s, struct call *c);
uint64_t tdh_phymem_pamt_remove(struct seam *s, struct call *c);
uint64_t tdh_spdm_create(struct seam *s, struct call *c);
uint64_t tdh_spdm_delete(struct seam *s, struct call *c);
uint64_t tdh_sys_config(struct seam *s, struct call *c);
uint64_t tdh_sys_disable(struct seam *s, struct call *c);
uint64_t tdh_sys_init(struct seam *s, struct call *c);
uint64_t tdh_sys_key_config(struct seam *s, struct call *c);
uint64_t tdh_sys_lp_init(struct seam *s, struct call *c);
uint64_t tdh_sys_rd(struct seam *s, struct call *c);
uint64_t tdh_sys_tdmr_init(struct seam *s, struct call *c);
uint64_t tdh_vp_addcx(struct seam *s, struct call *c);
uint64_t tdh_vp_create(struct seam *s, struct call *c);
uint64_t tdh_vp_flush(struct seam *s, struct call *c);
uint64_t tdh_vp_enter(struct seam *s, struct call *c);
uint64_t tdh_vp_init(struct seam *s, struct call *c);
uint64_t tdh_vp_rd(struct seam *s, struct call *c);
uint64_t tdh_vp_wr(struct seam *s, struct call *c);

#endif
