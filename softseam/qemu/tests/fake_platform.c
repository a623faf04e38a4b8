// SPDX-License-Identifier: GPL-2.0-only
/* The rest of the plugin, as the instruction executors see it. */
#include <stdio.h>

#include "fake_qemu.h"
#include "run_td.h"
#include "symbols.h"

enum seam_end platform_seamcall(struct platform *p, struct vcpu *v, struct seam_regs *regs)
{
	(void)p;
	(void)v;
	fake.nr_seamcalls++;
	fake.seamcall_in = *regs;
	*regs = fake.seamcall_out;
	return fake.seamcall_end;
}

bool window_locate(struct window *w, char *err, size_t errlen)
{
	(void)w;
	if (!fake.window_located)
		snprintf(err, errlen, "not there");
	return fake.window_located;
}

/* These two jump into the code of the world switch; here, into the test. */
void td_probe(struct vcpu *v, struct site *site)
{
	(void)v;
	fake.jump_pc = site->pc;
	longjmp(fake.jump, FAKE_JUMP_PROBE);
}

void td_enter(struct vcpu *v, struct site *site)
{
	(void)v;
	fake.jump_pc = site->pc;
	longjmp(fake.jump, FAKE_JUMP_GUEST);
}

void td_invept(struct vcpu *v)
{
	(void)v;
	fake.nr_invept++;
}

void platform_clflush(struct platform *p, struct vcpu *v, uint64_t va)
{
	(void)p;
	(void)v;
	fake.nr_clflush++;
	fake.flushed = va;
}

void platform_movdir64b(struct platform *p, struct vcpu *v, uint64_t va)
{
	(void)p;
	(void)v;
	fake.nr_movdir64b++;
	fake.reset = va;
}

void platform_vmxoff(struct platform *p)
{
	(void)p;
	fake.nr_vmxoff++;
}

void platform_check_package(struct platform *p, const struct vcpu *v, unsigned int package)
{
	(void)p;
	(void)v;
	fake.checked_package = package;
}

void symbols_set_syscall_entry(struct symbols *s, uint64_t entry)
{
	(void)s;
	fake.syscall_entry = entry;
}
