// SPDX-License-Identifier: GPL-2.0-only
#include <string.h>

#include "report.h"
#include "tcg_jump.h"
#include "vcpu.h"

static const char *const reg_names[REG_COUNT] = {
	"rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi",
	"r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15",
	"cs", "fs_base", "gs_base", "cr0", "cr3", "cr4", "efer",
	"eflags", "rip",
};

static const char *const xmm_names[NR_XMM_REGS] = {
	"xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7",
	"xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15",
};

/* The first of a name counts. */
static struct qemu_plugin_register *find_register(const GArray *all, const char *name)
{
	guint stride = g_array_get_element_size((GArray *)all);
	unsigned int i;

	for (i = 0; i < all->len; i++) {
		const struct qemu_plugin_reg_descriptor *d =
			(const void *)(all->data + (size_t)i * stride);

		if (!strcmp(d->name, name))
			return d->handle;
	}
	fatal("QEMU does not expose register %s; QEMU 11.1 does", name);
}

static void find_registers(struct vcpu *v)
{
	GArray *all = qemu_plugin_get_registers();
	unsigned int i;

	for (i = 0; i < REG_COUNT; i++)
		v->handle[i] = find_register(all, reg_names[i]);
	for (i = 0; i < NR_XMM_REGS; i++)
		v->xmm[i] = find_register(all, xmm_names[i]);
	g_array_free(all, TRUE);
}

struct vcpu *vcpu_new(unsigned int index)
{
	struct vcpu *v = g_new0(struct vcpu, 1);

	v->index = index;
	v->buf = g_byte_array_new();
	find_registers(v);
	vcpu_reset(v);
	return v;
}

void vcpu_reset(struct vcpu *v)
{
	v->vmxe = false;
	v->vmxon = false;
	v->vmxon_pa = 0;
	v->vmcs_pa = NO_VMCS;
	v->tsc_adjust = 0;
	memset(&v->fault, 0, sizeof(v->fault));
	memset(&v->cpuid, 0, sizeof(v->cpuid));
	v->page.valid = false;
	memset(&v->td, 0, sizeof(v->td));
	v->caller = NULL;
}

uint64_t vcpu_read(struct vcpu *v, enum vcpu_reg reg)
{
	uint64_t value = 0;

	g_byte_array_set_size(v->buf, 0);
	if (!qemu_plugin_read_register(v->handle[reg], v->buf))
		fatal("QEMU could not read register %s", reg_names[reg]);
	memcpy(&value, v->buf->data, MIN(v->buf->len, sizeof(value)));
	return value;
}

uint32_t vcpu_read32(struct vcpu *v, enum vcpu_reg reg)
{
	return (uint32_t)vcpu_read(v, reg);
}

void vcpu_write(struct vcpu *v, enum vcpu_reg reg, uint64_t value)
{
	g_byte_array_set_size(v->buf, 0);
	g_byte_array_append(v->buf, (const guint8 *)&value, sizeof(value));
	if (!qemu_plugin_write_register(v->handle[reg], v->buf))
		fatal("QEMU could not write register %s", reg_names[reg]);
}

void vcpu_read_xmm(struct vcpu *v, unsigned int n, uint8_t value[XMM_BYTES])
{
	g_byte_array_set_size(v->buf, 0);
	if (!qemu_plugin_read_register(v->xmm[n], v->buf) || v->buf->len < XMM_BYTES)
		fatal("QEMU could not read register %s", xmm_names[n]);
	memcpy(value, v->buf->data, XMM_BYTES);
}

void vcpu_write_xmm(struct vcpu *v, unsigned int n, const uint8_t value[XMM_BYTES])
{
	g_byte_array_set_size(v->buf, 0);
	g_byte_array_append(v->buf, value, XMM_BYTES);
	if (!qemu_plugin_write_register(v->xmm[n], v->buf))
		fatal("QEMU could not write register %s", xmm_names[n]);
}

bool vcpu_in_long_mode(struct vcpu *v)
{
	return vcpu_read(v, REG_EFER) & EFER_LMA;
}

bool vcpu_in_kernel(struct vcpu *v)
{
	return (vcpu_read(v, REG_CS) & 3) == 0 && vcpu_in_long_mode(v);
}

#define PAGE_OFFSET_MASK	UINT64_C(0xfff)
#define LINE_MASK		UINT64_C(0x3f)

bool vcpu_translate(struct vcpu *v, uint64_t va, uint64_t *pa)
{
	uint64_t offset = va & PAGE_OFFSET_MASK;

	if (!v->page.valid || v->page.va != va - offset || !(offset & ~LINE_MASK)) {
		v->page.valid = qemu_plugin_translate_vaddr(va, pa);
		v->page.va = va - offset;
		v->page.pa = *pa & ~PAGE_OFFSET_MASK;
	}
	*pa = v->page.pa + offset;
	return v->page.valid;
}

bool vcpu_load(struct vcpu *v, uint64_t va, void *dst, size_t len)
{
	if (!qemu_plugin_read_memory_vaddr(va, v->buf, len))
		return false;
	memcpy(dst, v->buf->data, len);
	return true;
}

bool vcpu_store(struct vcpu *v, uint64_t va, const void *src, size_t len)
{
	g_byte_array_set_size(v->buf, 0);
	g_byte_array_append(v->buf, src, (guint)len);
	return qemu_plugin_write_memory_vaddr(va, v->buf);
}

uint64_t vcpu_effective_address(struct vcpu *v, const struct insn_mem *mem,
				uint64_t next_pc)
{
	uint64_t ea = (uint64_t)mem->disp;

	if (mem->rip_relative)
		ea += next_pc;
	if (mem->base != INSN_NO_REG)
		ea += vcpu_read(v, mem->base);
	if (mem->index != INSN_NO_REG)
		ea += vcpu_read(v, mem->index) * mem->scale;
	if (mem->addr32)
		ea = (uint32_t)ea;
	if (mem->segment == SEGMENT_FS)
		ea += vcpu_read(v, REG_FS_BASE);
	else if (mem->segment == SEGMENT_GS)
		ea += vcpu_read(v, REG_GS_BASE);
	return ea;
}

void vcpu_jump(struct vcpu *v, uint64_t pc)
{
	if (v->called_from)
		tcg_jump_settle(v->index, v->called_from);
	v->called_from = NULL;
	qemu_plugin_set_pc(pc);
}

/*
 * A plugin cannot raise an exception, but it can make the CPU run into one: a
 * jump to an address that cannot be fetched.  QEMU tells of an exception when
 * it has noted it, but not yet delivered it.  Jumping then to where it should
 * have happened leaves it noted, and the delivery is QEMU's own, in full.
 *
 * The address for #GP is the real PC with a mark that makes it non-canonical.
 * So it is still known should an interrupt come first and the task move to
 * another CPU before it gets to the fault.
 */
#define GP_MARK			(UINT64_C(0x5a) << 56)

static bool is_canonical(uint64_t va)
{
	int64_t top = (int64_t)va >> 56;

	return top == 0 || top == -1;
}

void vcpu_raise_gp(struct vcpu *v, uint64_t pc)
{
	vcpu_jump(v, pc ^ GP_MARK);
}

void vcpu_raise_pf(struct vcpu *v, uint64_t pc, uint64_t va)
{
	v->fault = (struct vcpu_fault){ .active = true, .va = va, .pc = pc };
	vcpu_jump(v, va);
}

void vcpu_exception(struct vcpu *v, uint64_t from_pc)
{
	if (is_canonical(from_pc ^ GP_MARK)) {
		vcpu_jump(v, from_pc ^ GP_MARK);
	} else if (v->fault.active && v->fault.va == from_pc) {
		v->fault.active = false;
		vcpu_jump(v, v->fault.pc);
	}
}
