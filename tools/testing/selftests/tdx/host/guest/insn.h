/* SPDX-License-Identifier: GPL-2.0 */
/* The instructions that a TD cannot do without help from the host. */
#ifndef TDX_HOST_GUEST_INSN_H
#define TDX_HOST_GUEST_INSN_H

#include <linux/compiler.h>
#include <linux/types.h>

static inline void insn_cpuid(u32 leaf, u32 subleaf, u32 out[4])
{
	asm volatile("cpuid"
		     : "=a" (out[0]), "=b" (out[1]), "=c" (out[2]), "=d" (out[3])
		     : "a" (leaf), "c" (subleaf));
}

static inline u64 insn_rdmsr(u32 msr)
{
	u32 low, high;

	asm volatile("rdmsr" : "=a" (low), "=d" (high) : "c" (msr));
	return (u64)high << 32 | low;
}

static inline void insn_wrmsr(u32 msr, u64 value)
{
	asm volatile("wrmsr" : : "c" (msr), "a" ((u32)value), "d" ((u32)(value >> 32)));
}

static inline u32 insn_in(u16 port, u64 size)
{
	u32 value = 0;

	if (size == 1)
		asm volatile("inb %w1, %b0" : "+a" (value) : "Nd" (port));
	else if (size == 2)
		asm volatile("inw %w1, %w0" : "+a" (value) : "Nd" (port));
	else
		asm volatile("inl %w1, %0" : "+a" (value) : "Nd" (port));
	return value;
}

static inline void insn_out(u16 port, u64 size, u32 value)
{
	if (size == 1)
		asm volatile("outb %b0, %w1" : : "a" (value), "Nd" (port));
	else if (size == 2)
		asm volatile("outw %w0, %w1" : : "a" (value), "Nd" (port));
	else
		asm volatile("outl %0, %w1" : : "a" (value), "Nd" (port));
}

static inline u64 insn_mmio_read(void *reg, u64 size)
{
	u64 value = 0;

	if (size == 1)
		asm volatile("movb (%1), %b0" : "+r" (value) : "r" (reg) : "memory");
	else if (size == 2)
		asm volatile("movw (%1), %w0" : "+r" (value) : "r" (reg) : "memory");
	else if (size == 4)
		asm volatile("movl (%1), %k0" : "+r" (value) : "r" (reg) : "memory");
	else
		asm volatile("movq (%1), %0" : "+r" (value) : "r" (reg) : "memory");
	return value;
}

static inline void insn_mmio_write(void *reg, u64 size, u64 value)
{
	if (size == 1)
		asm volatile("movb %b0, (%1)" : : "r" (value), "r" (reg) : "memory");
	else if (size == 2)
		asm volatile("movw %w0, (%1)" : : "r" (value), "r" (reg) : "memory");
	else if (size == 4)
		asm volatile("movl %k0, (%1)" : : "r" (value), "r" (reg) : "memory");
	else
		asm volatile("movq %0, (%1)" : : "r" (value), "r" (reg) : "memory");
}

/* HLT right behind STI, so that no interrupt can come in between unseen. */
static inline void insn_halt(void)
{
	asm volatile("sti\n\thlt\n\tcli" : : : "memory");
}

static inline void insn_triple_fault(void)
{
	struct {
		u16 limit;
		u64 base;
	} __packed no_idt = { 0, 0 };

	asm volatile("lidt %0\n\tud2" : : "m" (no_idt));
}

#endif
