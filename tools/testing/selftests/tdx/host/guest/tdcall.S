/* SPDX-License-Identifier: GPL-2.0 */
/* u64 tdcall(u64 leaf, struct tdcall_regs *regs) */
	.text
	.globl	tdcall
tdcall:
	pushq	%rbx
	pushq	%r12
	pushq	%r13
	pushq	%r14
	pushq	%r15
	pushq	%rsi

	movq	%rdi, %rax
	movq	%rsi, %rdi
	movq	0x00(%rdi), %rcx
	movq	0x08(%rdi), %rdx
	movq	0x10(%rdi), %rbx
	movq	0x18(%rdi), %rsi
	movq	0x28(%rdi), %r8
	movq	0x30(%rdi), %r9
	movq	0x38(%rdi), %r10
	movq	0x40(%rdi), %r11
	movq	0x48(%rdi), %r12
	movq	0x50(%rdi), %r13
	movq	0x58(%rdi), %r14
	movq	0x60(%rdi), %r15
	movq	0x20(%rdi), %rdi

	.byte	0x66, 0x0f, 0x01, 0xcc

	/* The pointer is only on the stack now; RDI waits there in its place. */
	xchgq	%rdi, (%rsp)
	movq	%rcx, 0x00(%rdi)
	movq	%rdx, 0x08(%rdi)
	movq	%rbx, 0x10(%rdi)
	movq	%rsi, 0x18(%rdi)
	movq	%r8,  0x28(%rdi)
	movq	%r9,  0x30(%rdi)
	movq	%r10, 0x38(%rdi)
	movq	%r11, 0x40(%rdi)
	movq	%r12, 0x48(%rdi)
	movq	%r13, 0x50(%rdi)
	movq	%r14, 0x58(%rdi)
	movq	%r15, 0x60(%rdi)
	popq	%rcx
	movq	%rcx, 0x20(%rdi)

	popq	%r15
	popq	%r14
	popq	%r13
	popq	%r12
	popq	%rbx
	ret

	.section .note.GNU-stack, "", @progbits
