// SPDX-License-Identifier: GPL-2.0
/* What the guest asks of the host, through TDG.VP.VMCALL. */
#include "guest.h"

/* The registers that the host may see: R10 to R15. */
#define MASK_R10_R15		0xfc00
/* The same and RDX, RBX, RSI, RDI, R8, R9, which carry an error text. */
#define MASK_FATAL		0xffcc

#define FATAL_TEXT		64

/* Returns the status that the host gave in R10. */
u64 tdvmcall(struct tdcall_regs *regs)
{
	u64 rax;

	regs->rcx = MASK_R10_R15;
	rax = tdcall(TDCALL_VP_VMCALL, regs);
	if (rax)
		fatal_at("TDG.VP.VMCALL failed ", rax, 0);
	return regs->r10;
}

u64 vmcall_io(u64 size, u64 write, u64 port, u64 *value)
{
	struct tdcall_regs regs = {
		.r11 = TDVMCALL_IO,
		.r12 = size,
		.r13 = write,
		.r14 = port,
		.r15 = *value,
	};
	u64 status = tdvmcall(&regs);

	if (!write)
		*value = regs.r11;
	return status;
}

/* The host may do a part only and ask to be called again for the rest. */
u64 vmcall_map_gpa(u64 gpa, u64 size, u64 *failed, u64 *calls)
{
	u64 end = gpa + size, status;

	*calls = 0;
	do {
		struct tdcall_regs regs = {
			.r11 = TDVMCALL_MAP_GPA,
			.r12 = gpa,
			.r13 = end - gpa,
		};

		status = tdvmcall(&regs);
		gpa = regs.r11;
		++*calls;
	} while (status == TDVMCALL_RETRY && gpa < end);

	*failed = status ? gpa : 0;
	return status;
}

void print(const char *text, unsigned long max)
{
	for (; max && *text; text++, max--) {
		u64 value = (unsigned char)*text;

		vmcall_io(1, 1, TD_PORT_CONSOLE, &value);
	}
}

/* GHCI's order of the registers that hold the text. */
static void fatal_text(struct tdcall_regs *regs, const char *text)
{
	u64 *const words[] = {
		&regs->r14, &regs->r15, &regs->rbx, &regs->rdi,
		&regs->rsi, &regs->r8, &regs->r9, &regs->rdx,
	};
	unsigned int i;

	for (i = 0; i < FATAL_TEXT && text[i]; i++)
		*words[i / 8] |= (u64)(unsigned char)text[i] << (i % 8 * 8);
}

void __noreturn fatal(u64 code, const char *text)
{
	for (;;) {
		struct tdcall_regs regs = {
			.rcx = MASK_FATAL,
			.r11 = TDVMCALL_FATAL_ERROR,
			.r12 = code,
		};

		fatal_text(&regs, text);
		tdcall(TDCALL_VP_VMCALL, &regs);
	}
}

static char *append_hex(char *out, u64 value)
{
	static const char digits[] = "0123456789abcdef";
	int shift = 60;

	while (shift && !(value >> shift))
		shift -= 4;
	for (; shift >= 0; shift -= 4)
		*out++ = digits[value >> shift & 0xf];
	return out;
}

/* "WHAT VALUE" or, with @rip, "WHAT VALUE at RIP" */
void __noreturn fatal_at(const char *what, u64 value, u64 rip)
{
	char text[FATAL_TEXT + 1] = { 0 }, *out = text;

	while (*what && out < text + 24)
		*out++ = *what++;
	out = append_hex(out, value);
	if (rip) {
		*out++ = ' ';
		*out++ = 'a';
		*out++ = 't';
		*out++ = ' ';
		append_hex(out, rip);
	}
	fatal(1, text);
}
