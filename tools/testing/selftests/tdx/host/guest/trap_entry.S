/* SPDX-License-Identifier: GPL-2.0 */
/* Entry points of exceptions and interrupts: save everything, call C, restore. */
#include "asm_layout.h"

	.text
	.code64

/* The CPU pushes an error code for some exceptions; make up one for the others. */
	.balign	TRAP_STUB_SIZE
	.globl	trap_stubs
trap_stubs:
	.set	vector, 0
	.rept	NR_TRAPS
	.balign	TRAP_STUB_SIZE
	.if !(vector == 8 || (vector >= 10 && vector <= 14) || vector == 17 || \
	      vector == 21 || vector == 29 || vector == 30)
	pushq	$0
	.endif
	pushq	$vector
	jmp	trap_common
	.set	vector, vector + 1
	.endr

trap_common:
	subq	$0x80, %rsp
	movq	%rax, 0x00(%rsp)
	movq	%rcx, 0x08(%rsp)
	movq	%rdx, 0x10(%rsp)
	movq	%rbx, 0x18(%rsp)
	movq	%rbp, 0x28(%rsp)
	movq	%rsi, 0x30(%rsp)
	movq	%rdi, 0x38(%rsp)
	movq	%r8,  0x40(%rsp)
	movq	%r9,  0x48(%rsp)
	movq	%r10, 0x50(%rsp)
	movq	%r11, 0x58(%rsp)
	movq	%r12, 0x60(%rsp)
	movq	%r13, 0x68(%rsp)
	movq	%r14, 0x70(%rsp)
	movq	%r15, 0x78(%rsp)

	cld
	movq	%rsp, %rdi
	movq	%rsp, %rbp
	andq	$-16, %rsp
	call	handle_trap
	movq	%rbp, %rsp

	movq	0x00(%rsp), %rax
	movq	0x08(%rsp), %rcx
	movq	0x10(%rsp), %rdx
	movq	0x18(%rsp), %rbx
	movq	0x28(%rsp), %rbp
	movq	0x30(%rsp), %rsi
	movq	0x38(%rsp), %rdi
	movq	0x40(%rsp), %r8
	movq	0x48(%rsp), %r9
	movq	0x50(%rsp), %r10
	movq	0x58(%rsp), %r11
	movq	0x60(%rsp), %r12
	movq	0x68(%rsp), %r13
	movq	0x70(%rsp), %r14
	movq	0x78(%rsp), %r15
	addq	$0x90, %rsp
	iretq

	.section .note.GNU-stack, "", @progbits
