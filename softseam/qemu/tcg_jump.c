// SPDX-License-Identifier: GPL-2.0-only
#define _GNU_SOURCE
#include <dlfcn.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "report.h"
#include "tcg_jump.h"

#define NO_EXCEPTION	(-1)

/* QEMU's own, which no header offers to plugins. */
static struct {
	void *(*get_cpu)(int index);
	/* Makes CPU's state what it is before the instruction that @host_pc translates. */
	bool (*restore_state)(void *cpu, uintptr_t host_pc);
	/* Of the exception that is pending, in the CPU's state. */
	uint32_t exception;
} qemu;

static pthread_once_t once = PTHREAD_ONCE_INIT;
static atomic_bool safe;

/*
 * cpu_loop_exit_noexc() does little else than to write NO_EXCEPTION where this is
 * looked for: MOVL $-1, disp32(%rdi).
 */
static bool find_exception(const uint8_t *code)
{
	static const uint8_t mov[] = { 0xc7, 0x87 }, none[] = { 0xff, 0xff, 0xff, 0xff };
	const unsigned int reach = 24;

	for (unsigned int i = 0; code && i < reach; i++) {
		if (memcmp(code + i, mov, sizeof(mov)) || memcmp(code + i + 6, none, sizeof(none)))
			continue;
		memcpy(&qemu.exception, code + i + 2, sizeof(qemu.exception));
		return true;
	}
	return false;
}

static void find(void)
{
	void *get_cpu = dlsym(RTLD_DEFAULT, "qemu_get_cpu");
	void *restore = dlsym(RTLD_DEFAULT, "cpu_restore_state");

	memcpy(&qemu.get_cpu, &get_cpu, sizeof(get_cpu));
	memcpy(&qemu.restore_state, &restore, sizeof(restore));
	atomic_store(&safe, find_exception(dlsym(RTLD_DEFAULT, "cpu_loop_exit_noexc")) &&
			    get_cpu && restore);
}

bool tcg_jump_is_safe(void)
{
	pthread_once(&once, find);
	return atomic_load(&safe);
}

void tcg_jump_settle(unsigned int index, const void *from)
{
	const int none = NO_EXCEPTION;
	char *cpu;

	if (!tcg_jump_is_safe())
		return;
	cpu = qemu.get_cpu((int)index);
	if (cpu && qemu.restore_state(cpu, (uintptr_t)from)) {
		memcpy(cpu + qemu.exception, &none, sizeof(none));
		return;
	}
	if (atomic_exchange(&safe, false))
		report("this QEMU does not tell what state stands before an instruction: TDs are slower");
}
