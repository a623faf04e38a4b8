/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The host of td_host.h with a machine that can run guests, as far as the model
 * can tell: a test is the guest's CPU.  It sets registers and memory, says why
 * the guest stopped, and looks at what the module made of it.
 */
#ifndef SOFTSEAM_TESTS_GUEST_HOST_H
#define SOFTSEAM_TESTS_GUEST_HOST_H

#include "guest_vcpu.h"
#include "td_host.h"

/* Pages that are there from the start, besides GPA_REG; GPA_AUG is pending. */
#define GPA_CODE	0x103000ULL
#define GPA_TABLE(n)	(0x104000ULL + (n) * SZ_4K)
#define NR_TABLES	5
#define GPA_SHARED	(1ULL << 47)

/* The host's own memory. */
#define PID		(4 * MB)
/* Tables of the shared EPT, by the level of their entries. */
#define SHARED_EPT(level)	(5 * MB + (level) * SZ_4K)

#define INSN_TDCALL	"\x66\x0F\x01\xCC"
#define INSN_VMCALL	"\x0F\x01\xC1"
#define INSN_CPUID	"\x0F\xA2"
#define INSN_RDMSR	"\x0F\x32"
#define INSN_WRMSR	"\x0F\x30"
#define INSN_HLT	"\xF4"
#define INSN_INVD	"\x0F\x08"
#define INSN_WBINVD	"\x0F\x09"
#define INSN_RDTSC	"\x0F\x31"
#define INSN_RDTSCP	"\x0F\x01\xF9"
#define INSN_UD2	"\x0F\x0B"

/* host_start() with such a machine. */
void guest_host_start(struct host *h);
/* A TD that can run, with the pages above. */
void guest_goto(struct host *h);
/* VP.ENTER of vCPU 0 on CPU 0, which has to succeed. */
void guest_enter(struct host *h);
/* All of it, and the vCPU is in 64-bit mode with paging, at GPA_CODE. */
void guest_run_64bit(struct host *h);

struct guest_vcpu *guest_vcpu(struct host *h);
struct guest_cpu *guest_cpu(struct host *h);
/* Contents of private memory, up to the end of its page. */
void *guest_mem(struct host *h, uint64_t gpa);

/* The guest stopped.  What the host gets when it left the TD is here. */
extern struct guest_result guest_result;
enum seam_end guest_stop(struct host *h, struct guest_exit exit);
/* The same at an instruction, which is put where RIP points. */
enum seam_end guest_stop_at(struct host *h, enum guest_stop why, const char *insn, size_t len);
/* @insn: a string constant. */
#define STOP_AT(h, why, insn)	guest_stop_at(h, why, insn, sizeof(insn) - 1)

/* TDCALL with these registers: the guest goes on behind it.  Returns RAX. */
uint64_t guest_tdcall(struct host *h, struct seam_regs regs);
/* Let a host event end the SEAMCALL. */
void guest_leave_quietly(struct host *h);
/* The host takes a step back and enters again. */
void guest_reenter(struct host *h);

/* The instruction was executed: the guest goes on @len bytes behind it. */
void assert_executed(struct host *h, uint64_t len);
/* The guest goes on with an exception, at the same instruction. */
void assert_exception(struct host *h, uint8_t vector);
/* The same for #VE, with this in VE_INFO. */
void assert_ve(struct host *h, uint32_t reason, uint64_t qualification, uint32_t len);

/* An entry of the shared EPT at @level for @gpa. */
_Atomic uint64_t *shared_entry(struct host *h, uint64_t gpa, unsigned int level);
/* Its tables down to @level, and the vCPU's pointer to it. */
void shared_ept_build(struct host *h, uint64_t gpa, unsigned int level);

#endif
