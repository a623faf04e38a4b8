/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The world switch, executed by the host's CPU at privilege level 0 with
 * EFER.SVME set and interrupts off.  See world.h.
 */
#include "world.h"

#define MSR_TSC_AUX		0xC0000103
#define MSR_VM_HSAVE_PA		0xC0010117

/* Where a VMCB has the registers that the module leaves with values of its own. */
#define VMCB_STAR		0x600
#define VMCB_LSTAR		0x608
#define VMCB_FMASK		0x618
#define VMCB_KERNEL_GS_BASE	0x620
#define FMASK_AT_EXIT		0x20200

#define GPR(n)			(WORLD_GPR + 8 * (n))(%rsp)

	/* EDX:EAX from memory. */
	.macro	load_edx_eax offset
	movl	\offset(%rsp), %eax
	movl	\offset + 4(%rsp), %edx
	.endm

	.section .rodata
	.balign	16
	.globl	world_code, world_resume, world_stopped, world_leave, world_left
	.globl	world_probe, world_probed, world_code_end
world_code:
	clgi

	movl	$MSR_VM_HSAVE_PA, %ecx
	load_edx_eax WORLD_HOST_SAVE
	wrmsr
	movq	WORLD_HOST_VMCB(%rsp), %rax
	vmsave	%rax

	/* All components that are the guest's, then the XCR0 it chose. */
	xorl	%ecx, %ecx
	load_edx_eax WORLD_XFAM
	xsetbv
	xrstor64 WORLD_XSAVE(%rsp)
	load_edx_eax WORLD_XCR0
	xsetbv

	movl	$MSR_TSC_AUX, %ecx
	load_edx_eax WORLD_TSC_AUX
	wrmsr

	movq	WORLD_DR + 0(%rsp), %rax
	movq	%rax, %dr0
	movq	WORLD_DR + 8(%rsp), %rax
	movq	%rax, %dr1
	movq	WORLD_DR + 16(%rsp), %rax
	movq	%rax, %dr2
	movq	WORLD_DR + 24(%rsp), %rax
	movq	%rax, %dr3

	movq	WORLD_GUEST_VMCB(%rsp), %rax
	vmload	%rax

world_resume:
	movq	WORLD_GUEST_VMCB(%rsp), %rax
	movq	GPR(1), %rcx
	movq	GPR(2), %rdx
	movq	GPR(3), %rbx
	movq	GPR(5), %rbp
	movq	GPR(6), %rsi
	movq	GPR(7), %rdi
	movq	GPR(8), %r8
	movq	GPR(9), %r9
	movq	GPR(10), %r10
	movq	GPR(11), %r11
	movq	GPR(12), %r12
	movq	GPR(13), %r13
	movq	GPR(14), %r14
	movq	GPR(15), %r15

	/* So that interrupts for the host stop the guest; until then GIF is 0. */
	sti
	vmrun	%rax
	cli

	movq	%rcx, GPR(1)
	movq	%rdx, GPR(2)
	movq	%rbx, GPR(3)
	movq	%rbp, GPR(5)
	movq	%rsi, GPR(6)
	movq	%rdi, GPR(7)
	movq	%r8, GPR(8)
	movq	%r9, GPR(9)
	movq	%r10, GPR(10)
	movq	%r11, GPR(11)
	movq	%r12, GPR(12)
	movq	%r13, GPR(13)
	movq	%r14, GPR(14)
	movq	%r15, GPR(15)
world_stopped:
	/* Never executed: the machine takes over here, and at the labels below. */
	ud2

	/* RAX is the VMCB's address again, as it was at VMRUN. */
world_leave:
	vmsave	%rax

	xorl	%eax, %eax
	movq	%rax, %cr2
	movq	%dr0, %rbx
	movq	%rbx, WORLD_DR + 0(%rsp)
	movq	%rax, %dr0
	movq	%dr1, %rbx
	movq	%rbx, WORLD_DR + 8(%rsp)
	movq	%rax, %dr1
	movq	%dr2, %rbx
	movq	%rbx, WORLD_DR + 16(%rsp)
	movq	%rax, %dr2
	movq	%dr3, %rbx
	movq	%rbx, WORLD_DR + 24(%rsp)
	movq	%rax, %dr3

	movl	$MSR_TSC_AUX, %ecx
	xorl	%eax, %eax
	xorl	%edx, %edx
	wrmsr

	/* XCR0 stays as XFAM has it. */
	xorl	%ecx, %ecx
	xgetbv
	movl	%eax, WORLD_XCR0(%rsp)
	movl	%edx, WORLD_XCR0 + 4(%rsp)
	load_edx_eax WORLD_XFAM
	xsetbv
	xsave64	WORLD_XSAVE(%rsp)
	xrstor64 WORLD_XSAVE_INIT(%rsp)

	xorl	%eax, %eax
	movq	%rax, WORLD_HOST_VMCB_PAGE + VMCB_STAR(%rsp)
	movq	%rax, WORLD_HOST_VMCB_PAGE + VMCB_LSTAR(%rsp)
	movq	%rax, WORLD_HOST_VMCB_PAGE + VMCB_KERNEL_GS_BASE(%rsp)
	movq	$FMASK_AT_EXIT, WORLD_HOST_VMCB_PAGE + VMCB_FMASK(%rsp)
	movq	WORLD_HOST_VMCB(%rsp), %rax
	vmload	%rax

	stgi
world_left:
	ud2

	/* Ask CPUID all that is in the list, and what time it is. */
world_probe:
	movq	%rsp, %rsi
1:	movl	WORLD_PROBE_LEAF(%rsi), %eax
	movl	WORLD_PROBE_SUBLEAF(%rsi), %ecx
	cpuid
	movl	%eax, WORLD_PROBE_EAX + 0(%rsi)
	movl	%ebx, WORLD_PROBE_EAX + 4(%rsi)
	movl	%ecx, WORLD_PROBE_EAX + 8(%rsi)
	movl	%edx, WORLD_PROBE_EAX + 12(%rsi)
	cmpl	$0, WORLD_PROBE_LAST(%rsi)
	leaq	WORLD_PROBE_BYTES(%rsi), %rsi
	je	1b
	rdtsc
	movl	%eax, WORLD_PROBE_TSC(%rsp)
	movl	%edx, WORLD_PROBE_TSC + 4(%rsp)
world_probed:
	ud2
world_code_end:

	.section .note.GNU-stack, "", @progbits
