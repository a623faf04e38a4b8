/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * TDs and their vCPUs: what the real module keeps in TDR, TDCS and TDVPS pages.
 *
 * Here it is the model's own memory, found by the address of the TDR or TDVPR
 * page, and never read from host RAM.  A struct td lives from MNG.CREATE until
 * its TDR is reclaimed, a struct vcpu from VP.CREATE until its TDVPR is.
 *
 * Locks of the module: the PAMT entry of the TDR guards the struct td (leaves
 * hold it shared, or exclusive to change what is not atomic here); the PAMT
 * entry of the TDVPR guards the struct vcpu likewise.
 */
#ifndef SOFTSEAM_TD_H
#define SOFTSEAM_TD_H

#include <nettle/sha2.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "lock.h"
#include "operand.h"
#include "sept.h"

#define TDCS_PAGES		6
#define TDCS_MAX_PAGES		8
/* Without the TDVPR itself. */
#define TDVPS_CHILD_PAGES	5
#define TD_MAX_VCPUS		576
#define TD_NR_RTMRS		4
#define SHA384_BYTES		48

enum td_lifecycle {
	TD_HKID_ASSIGNED	= 0,
	TD_KEYS_CONFIGURED	= 1,
	TD_BLOCKED		= 2,
	TD_TEARDOWN		= 3,
};

enum td_op_state {
	OP_UNINIT	= 0,
	OP_INIT		= 1,
	OP_RUNNABLE	= 2,
};

enum vcpu_state {
	VCPU_UNINIT	= 0,
	VCPU_READY	= 2,
	VCPU_ACTIVE	= 4,
	VCPU_DISABLED	= 8,
};

/* ATTRIBUTES bits that the model looks at. */
#define TD_ATTR_DEBUG			(1ULL << 0)
#define TD_ATTR_SEPT_VE_DISABLE		(1ULL << 28)
#define TD_ATTR_MIGRATABLE		(1ULL << 29)
#define TD_ATTR_PKS			(1ULL << 30)
#define TD_ATTR_PERFMON			(1ULL << 63)

#define TD_CONFIG_GPAW_52		(1ULL << 0)
#define TD_CONFIG_FLEXIBLE_PENDING_VE	(1ULL << 1)
#define TD_CONFIG_NO_RBP_MOD		(1ULL << 2)

#define TD_CTLS_PENDING_VE_DISABLE	(1ULL << 0)
#define TD_CTLS_ENUM_TOPOLOGY		(1ULL << 1)

/* From TD_PARAMS, constant from MNG.INIT on. */
struct td_params {
	uint64_t attributes, xfam, config_flags, eptp_controls;
	uint16_t max_vcpus, tsc_frequency;
	uint8_t num_l2_vms;
	uint64_t arch_cap;
	/* 48 or 52; the shared bit is the one below. */
	unsigned int gpaw;
	uint64_t tsc_multiplier, tsc_offset;
	uint8_t mrconfigid[SHA384_BYTES], mrowner[SHA384_BYTES], mrownerconfig[SHA384_BYTES];
};

/* TLB tracking: see track.h. */
struct td_epoch {
	/* Shared to enter the TD, exclusive for MEM.TRACK: OPERAND_BUSY|TD_EPOCH. */
	struct trylock lock;
	_Atomic uint64_t epoch;
	/* vCPUs inside the TD that entered in an odd or even epoch. */
	_Atomic uint32_t refcount[2];
};

struct vcpu;
struct guest_vcpu;

struct td {
	struct seam *seam;
	/* Under seam->tds_lock. */
	struct td *next;
	uint64_t tdr;
	uint16_t hkid;

	atomic_bool fatal;
	_Atomic enum td_lifecycle lifecycle;
	/* Pages owned, the TDR itself not counted. */
	_Atomic uint64_t children;
	/* One bit per package whose key table has the TD's key. */
	_Atomic uint32_t key_packages;

	/* Exclusive to change the operation state: OPERAND_BUSY|OP_STATE. */
	struct trylock op_state_lock;
	_Atomic enum td_op_state op_state;
	unsigned int nr_tdcx;

	struct td_params params;
	/* What CPUID shows the TD: see virtual_cpuid.h. */
	struct virtual_cpuid *cpuid;

	struct td_epoch epoch;
	struct sept sept;

	/* MRTD so far, in INIT; @mrtd holds it from MR.FINALIZE on. */
	struct sha384_ctx mrtd_ctx;
	uint8_t mrtd[SHA384_BYTES];
	/* Exclusive to extend an RTMR. */
	struct trylock rtmr_lock;
	uint8_t rtmr[TD_NR_RTMRS][SHA384_BYTES];

	/* vCPUs that were initialised, by index. */
	_Atomic uint32_t nr_vcpus;
	_Atomic(struct vcpu *) vcpu[TD_MAX_VCPUS];
	/* All vCPUs, initialised or not; under seam->tds_lock. */
	struct vcpu *vcpus;
	_Atomic uint32_t nr_associated;

	/* Written by the TD itself, with TDG.VM.WR. */
	_Atomic uint64_t td_ctls, notify_enables;
};

/* Execution controls that the host writes with VP.WR. */
struct vcpu_vmcs {
	_Atomic uint64_t posted_vector, pid_address, pin_controls, shared_eptp;
	/* Was it ever written? */
	atomic_bool has_posted_vector, has_pid_address;
};

#define PIN_PROCESS_POSTED_INTERRUPTS	(1ULL << 7)
/* External interrupts and NMIs leave the TD, virtual NMIs, and what is always 1. */
#define PIN_CONTROLS_INITIAL		0x3FULL

#define VCPU_NO_LP	(-1)

struct vcpu {
	struct td *td;
	/* Under seam->tds_lock. */
	struct vcpu *next;
	uint64_t tdvpr;
	unsigned int nr_tdcx;

	_Atomic enum vcpu_state state;
	/* The LP that holds its state, VCPU_NO_LP if none. */
	_Atomic int lp;

	/* Constant from VP.INIT on. */
	uint32_t index, x2apic_id;
	/* False: from VP.INIT version 0, which gives it the index instead. */
	bool has_x2apic_id;
	uint64_t initial_rcx;

	/* TD epoch of its last entry. */
	uint64_t epoch;
	struct vcpu_vmcs vmcs;
	atomic_bool pend_nmi;
	/* Host TSC at its last exit: time must not run backwards. */
	uint64_t last_tsc;

	/* NULL until its first VP.ENTER. */
	struct guest_vcpu *guest;
};

#define OP_BIT(state)	(1U << (state))
#define OP_ANY_INIT	(OP_BIT(OP_INIT) | OP_BIT(OP_RUNNABLE))

/* A TD in use by a leaf, with the locks held for it. */
struct td_ref {
	struct td *td;
	enum lock_mode mode;
	struct pamt_walk page;
	/* Locked implicitly: this, and not @page. */
	struct pamt_entry *implicit;
	/* The operation state is locked, shared. */
	bool op_locked;
};

/*
 * Check that operand @op is a TDR and lock it.  On success the caller ends with
 * td_put().
 */
uint64_t td_get(struct seam *s, struct call *c, uint64_t pa, uint32_t op,
		enum lock_mode mode, struct td_ref *ref);
void td_put(struct td_ref *ref);

/* Lock the TDR that owns a page which the caller has locked: OPERAND_BUSY|TDR. */
uint64_t td_get_owner(struct seam *s, struct call *c, const struct pamt_walk *page,
		      enum lock_mode mode, struct td_ref *ref);

/*
 * The TD build state: not fatal, keys, TDCS pages, operation state among
 * @op_states (bits).  Unless the TDR is locked exclusive, the operation state
 * stays locked until td_put().
 */
uint64_t td_check(struct td_ref *ref, unsigned int op_states);

/* The first two of these checks. */
uint64_t td_check_keys(const struct td *td);

/* MNG.CREATE, and RECLAIM of the TDR.  td_new() returns NULL without memory. */
struct td *td_new(struct seam *s, uint64_t tdr, uint16_t hkid);
void td_free(struct td *td);
/* The end of all TDs, with their vCPUs. */
void td_free_all(struct seam *s);
unsigned int td_count(struct seam *s);

/* A vCPU in use by a leaf, with the locks held for it and its TD. */
struct vcpu_ref {
	struct vcpu *vcpu;
	struct pamt_walk page;
	struct td_ref td;
};

/*
 * Check that operand @op is a TDVPR and lock it in @mode, and its TD implicitly
 * in @td_mode.  Ends with vcpu_put().
 */
uint64_t vcpu_get(struct seam *s, struct call *c, uint64_t pa, uint32_t op,
		  enum lock_mode mode, enum lock_mode td_mode, struct vcpu_ref *ref);
void vcpu_put(struct vcpu_ref *ref);

/* Are all TDVPS pages there?  TDCX_NUM_INCORRECT if not. */
uint64_t vcpu_check_pages(const struct vcpu *vcpu);

/*
 * Associate @vcpu with @cpu, if it is not yet.  VCPU_ASSOCIATED if another LP
 * has it.
 */
uint64_t vcpu_associate(struct vcpu *vcpu, unsigned int cpu);
/* The end of VP.FLUSH.  Returns false if @cpu is not the one. */
bool vcpu_dissociate(struct vcpu *vcpu, unsigned int cpu);

/* VP.CREATE, and RECLAIM of the TDVPR.  vcpu_create() returns NULL without memory. */
struct vcpu *vcpu_create(struct td *td, uint64_t tdvpr);
void vcpu_destroy(struct vcpu *vcpu);

#endif
