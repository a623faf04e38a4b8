/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A host for tests: RAM from 1 MiB to 3 GiB and from 4 to 6 GiB, CPUs whose
 * MSRs and CPUID a test may bend, and three TDMRs that obey every rule.
 */
#ifndef SOFTSEAM_TESTS_HOST_H
#define SOFTSEAM_TESTS_HOST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "leaves.h"
#include "range.h"

#define MB		(1ULL << 20)
#define GB		(1ULL << 30)

#define HOST_CPUS	4
#define HOST_MEM_SIZE	(6 * GB)
#define HOST_TDMRS	3
#define HOST_HKID	32
#define HOST_HPA_BITS	40

/* Where the host keeps what it hands to SYS.CONFIG. */
#define HOST_ARRAY	(2 * MB)
#define HOST_INFO	(2 * MB + 4096)
/* All PAMT areas, a reserved area of the last TDMR. */
#define HOST_PAMT	(5 * GB)
#define HOST_PAMT_SIZE	(64 * MB)

/* A few lines that make one row of a table special. */
#define TWIST(name, ...)						\
	static void name(struct host *h, struct seam_regs *in)		\
	{								\
		(void)h;						\
		(void)in;						\
		__VA_ARGS__;						\
	}

/* Compare completion statuses; on failure say their names. */
#define assert_status(got, want)					\
	host_assert_status(got, want, __FILE__, __LINE__)

void host_assert_status(uint64_t got, uint64_t want, const char *file, int line);

/* How far host_goto() takes the module. */
enum stage {
	STAGE_PENDING,
	/* SYS.INIT done. */
	STAGE_INIT,
	/* SYS.LP.INIT done on all CPUs. */
	STAGE_LPS,
	STAGE_CONFIG,
	/* SYS.KEY.CONFIG done on all packages. */
	STAGE_READY,
	/* SYS.TDMR.INIT done for all TDMRs. */
	STAGE_TDMRS,
	STAGE_SHUTDOWN,
};

struct host {
	struct seam_config cfg;
	struct seam_machine machine;
	struct seam *seam;

	/* The address space, with holes that ram() refuses. */
	uint8_t *mem;
	uint64_t time;
	/* What is there is not RAM; 0: none. */
	uint64_t not_ram;
	/* An interrupt waits when asked for the nth time; 0: never. */
	unsigned int irq_after;

	/* MSR and CPUID values that differ from the right ones: XORed. */
	uint32_t msr_cpu, msr;
	uint64_t msr_flip;
	uint32_t cpuid_leaf, cpuid_reg, cpuid_flip;

	/*
	 * The SYS.CONFIG of host_goto(): it chooses Dynamic PAMT and all add-on
	 * features that FEATURES0 has.
	 */
	struct seam_regs config;
	/* What the machine says of the caller. */
	const char *caller;

	unsigned int nr_violations, nr_events;
	const char *violation_rule;
	uint64_t violation_pa;
	char violation_text[384];
	struct seam_event event;
	struct seam_regs event_in, event_out;
};

/* A host with default arguments but for @args: key, value, ..., NULL. */
struct host *host_new(const char *const *args);
void host_free(struct host *h);

/* Create the module (host_new() does not) and take it to @stage. */
void host_start(struct host *h);
void host_goto(struct host *h, enum stage stage);

/* SEAMCALL on @cpu; the outputs land in @regs. */
enum seam_end host_call(struct host *h, unsigned int cpu, struct seam_regs *regs);
/* The same for a call that must end: returns RAX. */
uint64_t host_status(struct host *h, unsigned int cpu, struct seam_regs regs);

/* The same, and registers that are no outputs must survive. */
void host_call_checked(struct host *h, unsigned int cpu, struct seam_regs *regs);

/* Let the @nth allocation from now on fail; 0: none. */
void host_fail_alloc(unsigned int nth);

struct tdmr_info *host_tdmr(struct host *h, unsigned int i);
uint64_t *host_array(struct host *h);

/* The leaf's name, or that it has none. */
const char *host_leaf_name(const struct seam_regs *in);

/* A digest of what is as it was once all TDs are gone: state.h has all state. */
uint64_t host_digest(const struct host *h);
uint64_t host_digest_bytes(uint64_t sum, const void *data, size_t len);

/*
 * A test that makes one call and names its status.  If that is an error, the
 * test also shows that nothing changed.
 */
struct row {
	const char *name;
	/* Arguments before the module exists. */
	const char *args[5];
	enum stage stage;
	/* What makes this row special, just before the call. */
	void (*twist)(struct host *h, struct seam_regs *regs);
	unsigned int cpu;
	struct seam_regs in;
	uint64_t status;
	/* The violation expected, or NULL. */
	const char *rule;
};

/* Make the call of a row, which ends with @status and violates @rule, or none if that is NULL. */
void host_row_call(struct host *h, unsigned int cpu, struct seam_regs *regs, const char *name,
		   uint64_t status, const char *rule);

/* Run @test for each of @nr rows of @size bytes that start with a name.  Returns the number that failed. */
int run_table(const char *group, CMUnitTestFunction test, const void *rows, size_t size, size_t nr);
int run_rows(const char *group, const struct row *rows, size_t nr);

/* Run plain tests; each gets a host with default arguments in *state. */
int host_setup(void **state);
int host_teardown(void **state);

#define host_test(f)	cmocka_unit_test_setup_teardown(f, host_setup, host_teardown)

#endif
