/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A TD and its life: created, given memory and vCPUs, measured, finalised, run
 * and torn down, with nothing but KVM's documented ioctls.
 *
 * Functions return 0 or -errno and have told what failed through error(), unless
 * their comment says otherwise.
 */
#ifndef TDX_HOST_TD_H
#define TDX_HOST_TD_H

#include <pthread.h>
#include <stdbool.h>
#include <linux/bits.h>
#include <linux/kvm.h>
#include "../guest/mailbox.h"
#include "image.h"
#include "mrtd.h"

#define TD_MB			(1024 * 1024UL)
#define TD_ATTR_SEPT_VE_DISABLE	BIT_ULL(28)

/* Where the mailboxes are; the RAM around them is private. */
#define TD_MAILBOX_GPA		(1 * TD_MB)
/* The first RAM that tests may use as they like. */
#define TD_FREE_GPA		(2 * TD_MB)

/* What the guest finds in CPUID leaf 0x40000001, which KVM has to answer. */
#define TD_CPUID_LEAF		0x40000001
#define TD_CPUID_EAX		0x7d580001
#define TD_CPUID_EBX		0x7d580002
#define TD_CPUID_ECX		0x7d580003
#define TD_CPUID_EDX		0x7d580004

#define TD_CONSOLE_SIZE		4096

struct td_config {
	unsigned int nr_vcpus;
	u64 ram_size;
	u64 attributes;
	u64 xfam;
	unsigned int gpaw;
	u64 mrconfigid[6];
	u64 mrowner[6];
	u64 mrownerconfig[6];
	/* NULL: the payload that is built in. */
	const struct td_image *image;
	/* For each thread that runs a vCPU, see fail_nth(); 0: none. */
	unsigned int vcpu_fail_nth;
	/* Set to how many there were in the thread with most of them. */
	unsigned int *vcpu_allocations;
};

/* GPAs with two sides: guest_memfd is private, @shared is ordinary memory. */
struct td_slot {
	u64 gpa;
	u64 size;
	int gmem_fd;
	u8 *shared;
};

/* Why a vCPU came back to us. */
enum td_stop {
	/* The command is done, or the vCPU is ready. */
	TD_STOP_DOORBELL,
	/* ReportFatalError; see @fatal_code and @fatal_text. */
	TD_STOP_FATAL,
	TD_STOP_SHUTDOWN,
	/* KVM_EXIT_MEMORY_FAULT; see @fault. */
	TD_STOP_MEMORY_FAULT,
	/* td_vcpu_kick() */
	TD_STOP_KICKED,
	/* KVM_RUN failed, or an exit that nobody expects; see @error. */
	TD_STOP_ERROR,
};

struct td_vcpu {
	struct td *td;
	unsigned int id;
	int fd;
	struct kvm_run *run;
	struct td_mailbox *mailbox;
	pthread_t thread;
	bool kicked;

	/* What the guest printed, as a string. */
	char console[TD_CONSOLE_SIZE];
	size_t console_len;

	/* Of the last stop. */
	int error;
	u64 fatal_code;
	char fatal_text[65];
	struct {
		u64 flags, gpa, size;
	} fault;

	/* Behind TD_PORT_ECHO and TD_MMIO_ECHO. */
	u64 port_echo;
	u64 mmio_echo;

	/* Returns to user space, and conversions that the guest asked for. */
	u64 nr_exits;
	u64 nr_map_gpa;
};

enum { TD_SLOT_RAM, TD_SLOT_IMAGE, TD_NR_SLOTS };

struct td {
	struct td_config config;
	struct td_image image;
	int kvm_fd;
	int vm_fd;
	struct kvm_tdx_capabilities *caps;
	struct td_slot slots[TD_NR_SLOTS];
	struct td_vcpu vcpus[TD_MAX_VCPUS];
	unsigned int nr_vcpus;
	/* Until finalised, the log; then the value. */
	struct mrtd log;
	u8 mrtd[SHA384_SIZE];
	u64 nr_measured;
	u64 nr_added;
	/* Status to answer the next MapGPA with, instead of doing it; 0: do it. */
	u64 refuse_map_gpa;
};

/* 1 vCPU, 16 MB, GPA width 48. */
void td_default_config(struct td_config *config);

/* How far a TD is built, each step after the one before. */
enum td_stage {
	/* KVM_CREATE_VM, with irqchip and exits */
	TD_CREATED,
	/* KVM_TDX_INIT_VM */
	TD_INITIALIZED,
	/* memory slots, private where they shall be */
	TD_HAS_SLOTS,
	/* KVM_CREATE_VCPU, KVM_SET_CPUID2, KVM_TDX_INIT_VCPU */
	TD_HAS_VCPUS,
	/* KVM_TDX_INIT_MEM_REGION */
	TD_HAS_IMAGE,
	/* KVM_TDX_FINALIZE_VM */
	TD_FINALIZED,
};

int td_build(struct td *td, const struct td_config *config, enum td_stage stage);
/* td_build() is td_init(), which cannot fail, and td_step() for each stage. */
void td_init(struct td *td, const struct td_config *config);
int td_step(struct td *td, enum td_stage stage);
/* Also for a TD whose construction failed half way; @td may be used again. */
void td_destroy(struct td *td);

/* Single steps, for tests that leave the usual order. */
int td_init_vm(struct td *td);
int td_create_vcpu(struct td *td, unsigned int id);
int td_init_vcpu(struct td_vcpu *vcpu);
int td_add_image(struct td *td);
int td_finalize(struct td *td);

/* cpuid.c: memory for the caller to free, or NULL. */
struct kvm_tdx_init_vm *td_init_vm_params(struct td *td);
int td_set_cpuid(struct td_vcpu *vcpu);

/* memory.c */
int td_add_slot(struct td *td, unsigned int index, u64 gpa, u64 size);
void td_remove_slots(struct td *td);
int td_set_private(struct td *td, u64 gpa, u64 size, bool private);
/* Change the attribute and free what the other side held. */
int td_convert(struct td *td, u64 gpa, u64 size, bool private);
/* Take private pages away without a word to the guest. */
int td_punch_hole(struct td *td, u64 gpa, u64 size);
/* The shared side of @gpa, or NULL. */
void *td_shared(struct td *td, u64 gpa);

/* run.c: let the guest run until something happens that is not routine. */
enum td_stop td_vcpu_run(struct td_vcpu *vcpu);
/* Make td_vcpu_run() in another thread return TD_STOP_KICKED. */
void td_vcpu_kick(struct td_vcpu *vcpu);
/* Call once in a program that kicks. */
void td_allow_kicks(void);
/* Words for error(). */
const char *td_stop_name(enum td_stop stop);

/* thread.c: start all vCPUs up to their first doorbell. */
int td_start(struct td *td);
/* Call @fn for each vCPU, each in a thread; returns the first error. */
int td_on_each_vcpu(struct td *td, int (*fn)(struct td_vcpu *vcpu, void *arg), void *arg);

#endif
