/* SPDX-License-Identifier: GPL-2.0-only */
/* Executing an instruction in place of TCG: what the parts agree on. */
#ifndef SOFTSEAM_EXECUTE_H
#define SOFTSEAM_EXECUTE_H

#include "decode.h"
#include "platform.h"
#include "vcpu.h"

/* One place in the guest's code.  Never changes, never goes away. */
struct site {
	struct platform *platform;
	uint64_t pc;
	struct insn insn;
	/* An instruction whose flags were lost was reported. */
	atomic_bool reported;
};

enum outcome_kind {
	/* Not ours after all: TCG executes it, or raises #UD. */
	OUTCOME_TO_TCG,
	OUTCOME_DONE,
	OUTCOME_GP,
	OUTCOME_PF,
};

struct outcome {
	enum outcome_kind kind;
	/* DONE: the flags that the instruction leaves, if it leaves any. */
	bool sets_flags;
	struct insn_flags flags;
	/* PF: the address that is not mapped. */
	uint64_t va;
};

static inline struct outcome outcome_to_tcg(void)
{
	return (struct outcome){ .kind = OUTCOME_TO_TCG };
}

static inline struct outcome outcome_done(void)
{
	return (struct outcome){ .kind = OUTCOME_DONE };
}

static inline struct outcome outcome_gp(void)
{
	return (struct outcome){ .kind = OUTCOME_GP };
}

static inline struct outcome outcome_pf(uint64_t va)
{
	return (struct outcome){ .kind = OUTCOME_PF, .va = va };
}

static inline struct outcome outcome_flags(bool cf, bool zf)
{
	return (struct outcome){
		.kind = OUTCOME_DONE,
		.sets_flags = true,
		.flags = { .cf = cf, .zf = zf },
	};
}

struct outcome vmx_execute(struct vcpu *v, struct site *site);
struct outcome msr_execute(struct vcpu *v, const struct site *site);
struct outcome cr4_execute(struct vcpu *v, const struct site *site);
struct outcome movdir64b_execute(struct vcpu *v, const struct site *site);
struct outcome clflush_execute(struct vcpu *v, const struct site *site);

struct cpuid_result {
	uint32_t eax, ebx, ecx, edx;
};

/* From what QEMU says to what the platform shows. */
void cpuid_adjust(const struct options *opt, uint32_t leaf, uint32_t subleaf,
		  struct cpuid_result *r);

/*
 * Let the guest see @flags, left by @site, in the code at @pc.  Returns where it
 * goes on.
 */
uint64_t flags_deliver(struct vcpu *v, struct site *site, struct insn_flags flags,
		       uint64_t pc);

/* Called before CPUID, and before the instruction that follows it. */
void cpuid_before(struct vcpu *v, const struct site *site);
void cpuid_after(struct vcpu *v, const struct site *site, uint64_t pc);

#endif
