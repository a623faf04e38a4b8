// SPDX-License-Identifier: GPL-2.0-only
/* Code that a TD has at two addresses at once, as processes have that of libraries. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "steps.h"

#define PAGE		4096

/* What a TD cannot do by itself, then return the address where that went on. */
static const uint8_t code[] = {
	0x53,					/* push %rbx */
	0x31, 0xc0,				/* xor  %eax, %eax */
	0x31, 0xc9,				/* xor  %ecx, %ecx */
	0x0f, 0xa2,				/* cpuid */
	0x0f, 0x31,				/* rdtsc */
	0x0f, 0x01, 0xf9,			/* rdtscp */
	0x5b,					/* pop  %rbx */
	0x48, 0x8d, 0x05, 0, 0, 0, 0,		/* lea  (%rip), %rax */
	0xc3,					/* ret */
};

typedef uintptr_t (*where_fn)(void);

static int went_on_here(void *page)
{
	where_fn where;

	memcpy(&where, &page, sizeof(where));
	return where() - (uintptr_t)page < PAGE ? 0 : EFAULT;
}

void step_code(void)
{
	int fd = memfd_create("code", MFD_CLOEXEC), err = 0;
	void *page[2] = { MAP_FAILED, MAP_FAILED };

	if (fd < 0 || ftruncate(fd, PAGE) || write(fd, code, sizeof(code)) != sizeof(code))
		err = errno;
	for (int i = 0; i < 2 && !err; i++) {
		page[i] = mmap(NULL, PAGE, PROT_READ | PROT_EXEC, MAP_SHARED, fd, 0);
		err = page[i] == MAP_FAILED ? errno : went_on_here(page[i]);
	}
	tell("code", err, NULL);
}
