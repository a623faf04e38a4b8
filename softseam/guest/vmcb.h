/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The virtual machine control block of SVM, as the AMD64 Architecture
 * Programmer's Manual, volume 2, appendix B lays it out, as far as QEMU's TCG
 * implements it; and its conversion from and to struct guest_run.
 */
#ifndef SOFTSEAM_VMCB_H
#define SOFTSEAM_VMCB_H

#include <stddef.h>
#include <stdint.h>

#include "guest.h"

struct vmcb_segment {
	uint16_t selector;
	uint16_t attributes;
	uint32_t limit;
	uint64_t base;
};

struct vmcb_control {
	uint16_t intercept_cr_read, intercept_cr_write;
	uint16_t intercept_dr_read, intercept_dr_write;
	uint32_t intercept_exceptions;
	/* Bits are VMEXIT codes from 60h on. */
	uint32_t intercepts[2];
	uint8_t reserved1[44];
	uint64_t iopm, msrpm;
	uint64_t tsc_offset;
	uint32_t asid;
	uint8_t tlb_control;
	uint8_t reserved2[3];
	uint32_t int_control, int_vector, int_shadow, reserved3;
	uint64_t exit_code, exit_info1, exit_info2;
	uint32_t exit_int_info, exit_int_error;
	uint64_t nested_paging;
	uint8_t reserved4[16];
	uint32_t event, event_error;
	uint64_t nested_cr3;
	uint8_t reserved5[840];
};

struct vmcb_save {
	struct vmcb_segment es, cs, ss, ds, fs, gs, gdtr, ldtr, idtr, tr;
	uint8_t reserved1[43];
	uint8_t cpl;
	uint8_t reserved2[4];
	uint64_t efer;
	uint8_t reserved3[112];
	uint64_t cr4, cr3, cr0, dr7, dr6, rflags, rip;
	uint8_t reserved4[88];
	uint64_t rsp;
	uint8_t reserved5[24];
	uint64_t rax, star, lstar, cstar, fmask, kernel_gs_base;
	uint64_t sysenter_cs, sysenter_esp, sysenter_eip, cr2;
	uint8_t reserved6[32];
	uint64_t pat;
};

struct vmcb {
	struct vmcb_control control;
	struct vmcb_save save;
};

_Static_assert(offsetof(struct vmcb_control, iopm) == 0x40, "VMCB layout");
_Static_assert(offsetof(struct vmcb_control, exit_code) == 0x70, "VMCB layout");
_Static_assert(offsetof(struct vmcb_control, nested_cr3) == 0xB0, "VMCB layout");
_Static_assert(offsetof(struct vmcb, save) == 0x400, "VMCB layout");
_Static_assert(offsetof(struct vmcb_save, efer) == 0xD0, "VMCB layout");
_Static_assert(offsetof(struct vmcb_save, rsp) == 0x1D8, "VMCB layout");
_Static_assert(offsetof(struct vmcb_save, pat) == 0x268, "VMCB layout");

#define MSRPM_BYTES	8192
#define IOPM_BYTES	12288

/* Physical addresses that a VMCB points to. */
struct vmcb_tables {
	uint64_t iopm, msrpm, nested_cr3;
};

/* All accesses exit, but to MSRs that are a guest's own and in its VMCB. */
void vmcb_init_permissions(uint8_t iopm[IOPM_BYTES], uint8_t msrpm[MSRPM_BYTES]);

/* All but the general registers, other than RAX and RSP, and XSAVE. */
void vmcb_load(struct vmcb *vmcb, const struct guest_run *run, const struct vmcb_tables *tables);
/* The same back after VMEXIT, and the reason for it. */
void vmcb_save(const struct vmcb *vmcb, struct guest_cpu *cpu, struct guest_exit *exit);

#endif
