/* SPDX-License-Identifier: GPL-2.0 */
/*
 * From the first instruction of a TD vCPU to C.
 *
 * A TD vCPU starts in flat 32-bit protected mode without paging.  EBX holds the
 * GPA width, ECX the value of KVM_TDX_INIT_VCPU, ESI the index of the vCPU.
 */
#include "asm_layout.h"
#include "mailbox.h"

	.section .reset, "ax"
	.code32
	.globl	reset_vector
reset_vector:
	jmp	start32
	.balign	16, 0xf4

	.text
	.code32
start32:
	cmpl	$TD_MAX_VCPUS, %esi
	jae	stop

	lgdt	gdt_pointer
	movl	%cr4, %eax
	orl	$CR4_PAE, %eax
	movl	%eax, %cr4
	movl	$pml4, %eax
	movl	%eax, %cr3

	/* EFER.LME is set from the start, so that paging means long mode. */
	movl	%cr0, %eax
	orl	$CR0_PG, %eax
	movl	%eax, %cr0
	ljmpl	$CODE64, $start64

/* Without an IDT the #VE of HLT becomes a triple fault, which the host sees. */
stop:
	hlt
	jmp	stop

	.code64
start64:
	movl	$DATA64, %eax
	movl	%eax, %ds
	movl	%eax, %es
	movl	%eax, %ss

	leaq	vcpu_stacks(%rip), %rsp
	movl	%esi, %edi
	leal	1(%rdi), %eax
	shlq	$STACK_SHIFT, %rax
	addq	%rax, %rsp

	movl	%ecx, %esi
	movl	%ebx, %edx
	call	vcpu_start
	ud2

	.data
	.balign	16
gdt:
	.quad	0
	.quad	0x00af9b000000ffff
	.quad	0x00cf93000000ffff
gdt_pointer:
	.word	. - gdt - 1
	.quad	gdt

/* Enough to run this code where it is: the highest GB. */
	.section .tables, "aw"
	.balign	4096
	.globl	pml4
pml4:
	.quad	pdpt + PTE_TABLE
	.fill	511, 8, 0
	.globl	pdpt
pdpt:
	.fill	3, 8, 0
	.quad	pd_high + PTE_TABLE
	.fill	508, 8, 0
pd_high:
	.set	address, 0xc0000000
	.rept	512
	.quad	address + PTE_LARGE
	.set	address, address + 0x200000
	.endr

	.section .stacks, "aw", @nobits
	.balign	4096
	.globl	vcpu_stacks
vcpu_stacks:
	.skip	TD_MAX_VCPUS << STACK_SHIFT

	.section .note.GNU-stack, "", @progbits
