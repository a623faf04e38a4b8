// SPDX-License-Identifier: GPL-2.0-only
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fake_qemu.h"
#include "tcg_jump.h"
#include "ram.h"
#include "report.h"

struct fake fake;
static struct platform platform;

static const char *const names[REG_COUNT] = {
	"rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi",
	"r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15",
	"cs", "fs_base", "gs_base", "cr0", "cr3", "cr4", "efer", "eflags",
	"rip",
};

static const char *const xmm_names[NR_XMM_REGS] = {
	"xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7",
	"xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15",
};

static void *handle_of(size_t i)
{
	return (void *)(i << 1);
}

/* What the handle stands for, and its size. */
static uint8_t *register_at(struct qemu_plugin_register *handle, guint *size)
{
	size_t i = (uintptr_t)handle >> 1;

	*size = i < REG_COUNT ? sizeof(fake.reg[0]) : XMM_BYTES;
	return i < REG_COUNT ? (uint8_t *)&fake.reg[i] : fake.xmm[i - REG_COUNT];
}

/* QEMU's handles are numbers, too, and its list is in another order. */
GArray *qemu_plugin_get_registers(void)
{
	GArray *all = g_array_new(FALSE, TRUE, sizeof(struct qemu_plugin_reg_descriptor));
	struct qemu_plugin_reg_descriptor d = { 0 };
	size_t i;

	for (i = REG_COUNT + NR_XMM_REGS; i-- > 0;) {
		d.handle = handle_of(i);
		d.name = i < REG_COUNT ? names[i] : xmm_names[i - REG_COUNT];
		g_array_append_val(all, d);
	}
	return all;
}

bool qemu_plugin_read_register(struct qemu_plugin_register *handle, GByteArray *buf)
{
	guint size;
	uint8_t *at = register_at(handle, &size);

	g_byte_array_append(buf, at, size);
	return true;
}

bool qemu_plugin_write_register(struct qemu_plugin_register *handle, GByteArray *buf)
{
	guint size;
	uint8_t *at = register_at(handle, &size);

	memcpy(at, buf->data, size);
	return true;
}

static bool is_mapped(uint64_t addr, size_t len)
{
	return addr < FAKE_MAPPED && len <= FAKE_MAPPED - addr;
}

bool qemu_plugin_read_memory_vaddr(uint64_t addr, GByteArray *data, size_t len)
{
	if (!is_mapped(addr, len))
		return false;
	g_byte_array_set_size(data, 0);
	g_byte_array_append(data, fake.memory + addr, (guint)len);
	return true;
}

bool qemu_plugin_write_memory_vaddr(uint64_t addr, GByteArray *data)
{
	if (!is_mapped(addr, data->len))
		return false;
	memcpy(fake.memory + addr, data->data, data->len);
	return true;
}

bool qemu_plugin_translate_vaddr(uint64_t vaddr, uint64_t *hwaddr)
{
	fake.nr_translations++;
	*hwaddr = vaddr + fake.pa_offset;
	return is_mapped(vaddr, 1);
}

bool tcg_jump_is_safe(void)
{
	return !fake.flags_are_lost;
}

void tcg_jump_settle(unsigned int index, const void *from)
{
	(void)index;
	fake.settled_from = from;
}

/* The executors return an outcome; jumping is their caller's part. */
void qemu_plugin_set_pc(uint64_t pc)
{
	if (fake.jumps) {
		fake.jump_pc = pc;
		longjmp(fake.jump, FAKE_JUMP_PC);
	}
	fprintf(stderr, "unexpected jump to 0x%" PRIx64 "\n", pc);
	abort();
}

void *ram_pointer(const struct ram *ram, uint64_t pa, uint64_t len)
{
	(void)ram;
	return pa < FAKE_RAM_SIZE && len <= FAKE_RAM_SIZE - pa ? fake.memory + pa : NULL;
}

void report(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(fake.last_report, sizeof(fake.last_report), fmt, args);
	va_end(args);
	fake.nr_reports++;
}

void fatal(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(fake.last_report, sizeof(fake.last_report), fmt, args);
	va_end(args);
	if (fake.jumps)
		longjmp(fake.jump, FAKE_JUMP_FATAL);
	fprintf(stderr, "fatal: %s\n", fake.last_report);
	abort();
}

struct vcpu *fake_start(void)
{
	memset(&fake, 0, sizeof(fake));
	memset(&platform, 0, sizeof(platform));
	seam_config_init(&platform.opt.seam);
	platform.opt.cpu_signature = 0x000a06d1;
	/* Only compared with NULL. */
	platform.seam = (struct seam *)&platform;
	platform.symbols = (struct symbols *)&platform;

	fake.reg[REG_CS] = 0x10;
	fake.reg[REG_EFER] = EFER_LMA | 0x901;
	fake.reg[REG_CR0] = 0x80050033;
	fake.reg[REG_CR4] = 0xb0;
	return vcpu_new(0);
}

void fake_stop(struct vcpu *v)
{
	g_byte_array_free(v->buf, TRUE);
	g_free(v);
}

struct site fake_site(enum insn_kind kind)
{
	struct site site = {
		.platform = &platform,
		.pc = FAKE_PC,
		.insn = {
			.kind = kind,
			.len = 3,
			.rm = INSN_NO_REG,
			.mem = { .base = INSN_NO_REG, .index = INSN_NO_REG, .scale = 1 },
		},
	};

	return site;
}
