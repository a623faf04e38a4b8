// SPDX-License-Identifier: GPL-2.0-only
/*
 * Arithmetic flags across instructions that softseam executes in place of TCG, which
 * computes flags only when somebody asks.
 */
#include <errno.h>
#include <stdint.h>

#include "steps.h"

#define ROUNDS	2000

/*
 * Flags of comparing @a and @b as they are behind @insn.  POPF makes flags that are
 * known, so that a wrong answer has bits of @b for flags; the red zone is stepped over.
 */
#define FLAGS_BEHIND(insn, a, b) ({						\
	uint64_t __flags, __rax = 0, __rcx = 0;					\
										\
	asm volatile("lea -128(%%rsp), %%rsp\n\t"				\
		     "pushfq\n\t"						\
		     "popfq\n\t"						\
		     "cmp %[right], %[left]\n\t"				\
		     insn "\n\t"						\
		     "pushfq\n\t"						\
		     "pop %[flags]\n\t"						\
		     "lea 128(%%rsp), %%rsp"					\
		     : [flags] "=&r" (__flags), "+a" (__rax), "+c" (__rcx)	\
		     : [left] "r" (a), [right] "r" (b)				\
		     : "rbx", "rdx", "cc", "memory");				\
	__flags;								\
})

static uint64_t next_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

void step_flags(void)
{
	uint64_t state = 0x5e5e5e5e, a, b, flags, wrong = 0;

	for (unsigned int i = 0; i < ROUNDS && !wrong; i++) {
		a = next_random(&state);
		b = next_random(&state);
		flags = FLAGS_BEHIND("", a, b);
		wrong |= flags ^ FLAGS_BEHIND("rdtsc", a, b);
		wrong |= flags ^ FLAGS_BEHIND("rdtscp", a, b);
		wrong |= flags ^ FLAGS_BEHIND("cpuid", a, b);
	}
	tell("flags", wrong ? EILSEQ : 0, "\"wrong\": \"0x%llx\"", (unsigned long long)wrong);
}
