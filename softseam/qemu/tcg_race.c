// SPDX-License-Identifier: GPL-2.0-only
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tcg_race.h"

#define RACY_FUNCTION	"cpu_clear_ignne"
#define INSN_RET	0xc3

bool tcg_race_close(void)
{
#ifdef __x86_64__
	volatile uint8_t *code = dlsym(RTLD_DEFAULT, RACY_FUNCTION);
	uintptr_t page = (uintptr_t)code & ~((uintptr_t)sysconf(_SC_PAGESIZE) - 1);

	if (!code || mprotect((void *)page, 1, PROT_READ | PROT_WRITE | PROT_EXEC))
		return false;
	*code = INSN_RET;
	return !mprotect((void *)page, 1, PROT_READ | PROT_EXEC);
#else
	return false;
#endif
}
