// SPDX-License-Identifier: GPL-2.0-only
/* EPT violations of a guest: what the host hears, and what is the guest's own. */
#include "guest_host.h"
#include "shared_ept.h"

struct violation_row {
	const char *what;
	uint64_t gpa;
	/* Before the access. */
	void (*prepare)(struct host *h);
	struct guest_exit access;
	uint64_t rcx, rdx;
};

static void block_reg(struct host *h)
{
	td_must(h, 1, (struct seam_regs){ .rax = TDH_MEM_RANGE_BLOCK, .rcx = GPA_REG,
					  .rdx = TDR });
}

static void block_write(struct host *h)
{
	atomic_store(&host_entry(h, GPA_REG, 0)->word, REG_PAGE | SEPT_BLOCKEDW);
}

static void no_ve(struct host *h)
{
	host_td(h)->params.attributes |= TD_ATTR_SEPT_VE_DISABLE;
}

static void no_ve_by_guest(struct host *h)
{
	atomic_store(&host_td(h)->td_ctls, TD_CTLS_PENDING_VE_DISABLE);
}

/* The host's table says: tell me. */
static void shared_suppress(struct host *h)
{
	shared_ept_build(h, GPA_SHARED | SOURCE, 0);
	atomic_store(shared_entry(h, GPA_SHARED | SOURCE, 0), EPT_SUPPRESS_VE);
}

static void shared_suppress_read_only(struct host *h)
{
	shared_ept_build(h, GPA_SHARED | SOURCE, 0);
	atomic_store(shared_entry(h, GPA_SHARED | SOURCE, 0),
		     SOURCE | EPT_READ | 6 << 3 | EPT_SUPPRESS_VE);
}

static void shared_ve_taken(struct host *h)
{
	shared_suppress(h);
	atomic_store(shared_entry(h, GPA_SHARED | SOURCE, 0), 0);
	guest_vcpu(h)->ve.valid = true;
}

#define ACCESS(field)	{ .why = GUEST_STOP_MEMORY, .field = true }

static const struct violation_row violations[] = {
	{ "read of nothing", GPA_FREE + 0x123, NULL, ACCESS(read), EPT_QUAL_READ, 0 },
	{ "write to nothing", GPA_FREE, NULL, ACCESS(write), EPT_QUAL_WRITE, 0 },
	{ "fetch from nothing", GPA_FREE, NULL, ACCESS(fetch), EPT_QUAL_FETCH, 0 },
	{ "no table", GPA_NO_TABLE + 0x5678, NULL, ACCESS(read), EPT_QUAL_READ, 0 },
	{ "blocked", GPA_REG, block_reg, ACCESS(read), EPT_QUAL_READ, 0 },
	{ "blocked for writing", GPA_REG, block_write, ACCESS(write),
	  EPT_QUAL_WRITE | 5 << EPT_QUAL_ENTRY_SHIFT, 0 },
	{ "pending without #VE", GPA_AUG, no_ve, ACCESS(read), EPT_QUAL_READ, 6 },
	{ "pending, the guest wants no #VE", GPA_AUG, no_ve_by_guest, ACCESS(write),
	  EPT_QUAL_WRITE, 6 },
	{ "shared, suppressed", GPA_SHARED | SOURCE, shared_suppress, ACCESS(write),
	  EPT_QUAL_WRITE, 0 },
	{ "shared, read-only", GPA_SHARED | SOURCE, shared_suppress_read_only, ACCESS(write),
	  EPT_QUAL_WRITE | 1 << EPT_QUAL_ENTRY_SHIFT, 0 },
	{ "shared, VE_INFO in use", GPA_SHARED | SOURCE, shared_ve_taken, ACCESS(read),
	  EPT_QUAL_READ, 0 },
};

static void ept_violations(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(violations); i++) {
		const struct violation_row *row = &violations[i];
		struct host *h = host_new(NULL);
		struct guest_exit access = row->access;

		print_message("# %s\n", row->what);
		guest_run_64bit(h);
		if (row->prepare)
			row->prepare(h);
		access.gpa = row->gpa;
		assert_int_equal(guest_stop(h, access), SEAM_END_DONE);
		assert_status(guest_result.regs.rax, VMX_EPT_VIOLATION);
		assert_int_equal(guest_result.regs.rcx, row->rcx);
		assert_int_equal(guest_result.regs.rdx, row->rdx);
		assert_int_equal(guest_result.regs.r8, row->gpa & ~0xFFFULL);
		assert_int_equal(guest_result.regs.r9, 0);
		host_free(h);
	}
}

static void misconfigured(void **state)
{
	struct host *h = *state;

	guest_run_64bit(h);
	shared_ept_build(h, GPA_SHARED | SOURCE, 0);
	/* Writable but not readable. */
	atomic_store(shared_entry(h, GPA_SHARED | SOURCE, 0), SOURCE | EPT_WRITE);
	assert_int_equal(guest_stop(h, (struct guest_exit){ .why = GUEST_STOP_MEMORY,
							    .gpa = GPA_SHARED | (SOURCE + 8),
							    .read = true }), SEAM_END_DONE);
	assert_status(guest_result.regs.rax, VMX_EPT_MISCONFIG);
	assert_int_equal(guest_result.regs.rcx, 0);
	assert_int_equal(guest_result.regs.r8, GPA_SHARED | SOURCE);
}

static void assert_memory_ve(struct host *h, uint64_t gpa, uint64_t qualification)
{
	assert_ve(h, VMX_EPT_VIOLATION, qualification, 0);
	assert_int_equal(guest_vcpu(h)->ve.gpa, gpa);
}

/* Violations that are the guest's own business. */
static void violations_as_ve(void **state)
{
	struct guest_exit access = { .why = GUEST_STOP_MEMORY, .read = true };
	struct host *h = *state;

	guest_run_64bit(h);
	access.gpa = GPA_AUG + 0x18;
	assert_int_equal(guest_stop(h, access), SEAM_END_RUN_GUEST);
	assert_memory_ve(h, GPA_AUG + 0x18, EPT_QUAL_READ);

	guest_vcpu(h)->ve.valid = false;
	shared_ept_build(h, GPA_SHARED | SOURCE, 0);
	access.gpa = GPA_SHARED | (SOURCE + 0x18);
	assert_int_equal(guest_stop(h, access), SEAM_END_RUN_GUEST);
	assert_memory_ve(h, access.gpa, EPT_QUAL_READ);
}

/* What came meanwhile is no violation. */
static void spurious(void **state)
{
	struct guest_exit access = { .why = GUEST_STOP_MEMORY, .write = true };
	struct host *h = *state;

	guest_run_64bit(h);
	access.gpa = GPA_REG;
	assert_int_equal(guest_stop(h, access), SEAM_END_RUN_GUEST);
	shared_ept_build(h, GPA_SHARED | SOURCE, 0);
	atomic_store(shared_entry(h, GPA_SHARED | SOURCE, 0),
		     SOURCE | EPT_READ | EPT_WRITE | 6 << 3);
	access.gpa = GPA_SHARED | SOURCE;
	assert_int_equal(guest_stop(h, access), SEAM_END_RUN_GUEST);
	assert_executed(h, 0);
	assert_false(guest_vcpu(h)->ve.valid);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ept_violations),
		host_test(misconfigured),
		host_test(violations_as_ve),
		host_test(spurious),
	};

	return cmocka_run_group_tests_name("ept_violation", tests, NULL, NULL);
}
