// SPDX-License-Identifier: GPL-2.0
/* A TD's memory: accepted, converted, faulted in, taken away. */
#include "lib/test.h"

#define ACCEPT_STATUS(status)	((u32)((status) >> 32))
#define ALREADY_ACCEPTED	0x00000b0aU
#define SIZE_MISMATCH		0xc0000b0bU

#define LEVEL_4K		0
#define LEVEL_2M		1

#define TDVMCALL_MAP_GPA	0x10001
#define TDVMCALL_RETRY		1
#define TDVMCALL_INVALID	0x8000000000000000UL
#define TDVMCALL_ALIGN_ERROR	0x8000000000000002UL

#define SEED			0x7d5eedUL
#define WORD			8
#define SOME_PAGES		(16 * TD_PAGE_SIZE)

FIXTURE(memory)
{
	struct td_config config;
	struct td td;
	struct td_vcpu *vcpu;
	u64 *result;
};

FIXTURE_SETUP(memory)
{
	const char *why = kvm_tdx_unsupported();

	if (why)
		SKIP(return, "%s", why);
	td_default_config(&self->config);
	ASSERT_EQ(0, td_build(&self->td, &self->config, TD_FINALIZED));
	ASSERT_EQ(0, td_start(&self->td));
	self->vcpu = &self->td.vcpus[0];
	self->result = self->vcpu->mailbox->result;
}

FIXTURE_TEARDOWN(memory)
{
	td_destroy(&self->td);
}

TEST_F(memory, accepted_is_zero)
{
	ASSERT_EQ(0, td_accept(self->vcpu, TD_FREE_GPA, SOME_PAGES));
	ASSERT_EQ(0, td_check(self->vcpu, TD_FREE_GPA, SOME_PAGES, WORD, 0, false));
	ASSERT_EQ(0, td_fill(self->vcpu, TD_FREE_GPA, SOME_PAGES, WORD, SEED, false));
	EXPECT_EQ(0, td_check(self->vcpu, TD_FREE_GPA, SOME_PAGES, WORD, SEED, false));
}

/* The check can fail. */
TEST_F(memory, wrong_is_noticed)
{
	ASSERT_EQ(0, td_accept(self->vcpu, TD_FREE_GPA, SOME_PAGES));
	ASSERT_EQ(0, td_fill(self->vcpu, TD_FREE_GPA, SOME_PAGES, WORD, SEED, false));
	EXPECT_EQ(-EILSEQ, td_check(self->vcpu, TD_FREE_GPA, SOME_PAGES, WORD, SEED + 1, false));
	EXPECT_EQ(SOME_PAGES / WORD, self->result[0]);
	EXPECT_EQ(TD_FREE_GPA, self->result[1]);
}

TEST_F(memory, accepted_twice)
{
	ASSERT_EQ(0, td_accept(self->vcpu, TD_FREE_GPA, TD_PAGE_SIZE));
	ASSERT_EQ(0, td_fill(self->vcpu, TD_FREE_GPA, TD_PAGE_SIZE, WORD, SEED, false));
	ASSERT_EQ(0, td_do(self->vcpu, TD_CMD_ACCEPT, TD_FREE_GPA, TD_PAGE_SIZE, LEVEL_4K));
	EXPECT_EQ(0, self->result[0]);
	EXPECT_EQ(ALREADY_ACCEPTED, ACCEPT_STATUS(self->result[1]));
	EXPECT_EQ(0, td_check(self->vcpu, TD_FREE_GPA, TD_PAGE_SIZE, WORD, SEED, false));
}

/* Guests try 2 MB first.  KVM may only give 4 KB; then the guest is told so. */
TEST_F(memory, accept_2m_first)
{
	ASSERT_EQ(0, td_do(self->vcpu, TD_CMD_ACCEPT, TD_FREE_GPA, TD_2M_SIZE, LEVEL_2M));
	if (self->result[1]) {
		EXPECT_EQ(SIZE_MISMATCH, ACCEPT_STATUS(self->result[1]));
		ASSERT_EQ(0, td_accept(self->vcpu, TD_FREE_GPA, TD_2M_SIZE));
	}
	EXPECT_EQ(0, td_check(self->vcpu, TD_FREE_GPA, TD_2M_SIZE, WORD, 0, false));
}

TEST_F(memory, image_needs_no_accept)
{
	u64 gpa = self->td.image.regions[1].gpa;

	ASSERT_EQ(0, td_do(self->vcpu, TD_CMD_ACCEPT, gpa, TD_PAGE_SIZE, LEVEL_4K));
	EXPECT_EQ(ALREADY_ACCEPTED, ACCEPT_STATUS(self->result[1]));
}

TEST_F(memory, pre_faulted)
{
	struct kvm_pre_fault_memory range = { .gpa = TD_FREE_GPA, .size = SOME_PAGES };

	ASSERT_EQ(0, kvm_ioctl_ptr(self->vcpu->fd, KVM_PRE_FAULT_MEMORY, &range));
	EXPECT_EQ(0, range.size);
	ASSERT_EQ(0, td_accept(self->vcpu, TD_FREE_GPA, SOME_PAGES));
	EXPECT_EQ(0, td_check(self->vcpu, TD_FREE_GPA, SOME_PAGES, WORD, 0, false));
}

/* With SEPT_VE_DISABLE the guest has no say: the TD is dead. */
TEST_F(memory, not_accepted)
{
	EXPECT_EQ(TD_STOP_ERROR, td_call(self->vcpu, TD_CMD_READ, TD_FREE_GPA));
	EXPECT_EQ(-EIO, self->vcpu->error);
	EXPECT_EQ(-EIO, kvm_ioctl(self->vcpu->fd, KVM_RUN, 0));
}

/* A page that the host took away does not come back as a page of zeroes. */
TEST_F(memory, taken_away)
{
	ASSERT_EQ(0, td_accept(self->vcpu, TD_FREE_GPA, SOME_PAGES));
	ASSERT_EQ(0, td_fill(self->vcpu, TD_FREE_GPA, SOME_PAGES, WORD, SEED, false));
	ASSERT_EQ(0, td_punch_hole(&self->td, TD_FREE_GPA, TD_PAGE_SIZE));
	ASSERT_EQ(0, td_check(self->vcpu, TD_FREE_GPA + TD_PAGE_SIZE,
			      SOME_PAGES - TD_PAGE_SIZE, WORD, SEED, false));
	EXPECT_EQ(TD_STOP_ERROR, td_call(self->vcpu, TD_CMD_READ, TD_FREE_GPA));
}

/* Unless the guest accepts it, knowing that it is new. */
TEST_F(memory, taken_away_and_accepted)
{
	ASSERT_EQ(0, td_accept(self->vcpu, TD_FREE_GPA, TD_PAGE_SIZE));
	ASSERT_EQ(0, td_fill(self->vcpu, TD_FREE_GPA, TD_PAGE_SIZE, WORD, SEED, false));
	ASSERT_EQ(0, td_punch_hole(&self->td, TD_FREE_GPA, TD_PAGE_SIZE));
	ASSERT_EQ(0, td_accept(self->vcpu, TD_FREE_GPA, TD_PAGE_SIZE));
	EXPECT_EQ(0, td_check(self->vcpu, TD_FREE_GPA, TD_PAGE_SIZE, WORD, 0, false));
}

TEST_F(memory, slot_removed)
{
	struct kvm_userspace_memory_region2 region = { .slot = TD_SLOT_RAM };

	ASSERT_EQ(0, td_accept(self->vcpu, TD_FREE_GPA, SOME_PAGES));
	EXPECT_EQ(0, kvm_ioctl_ptr(self->td.vm_fd, KVM_SET_USER_MEMORY_REGION2, &region));
}

/* Pages of the image that went away before the TD was finalised, and came back. */
TEST(image_added_again)
{
	const char *why = kvm_tdx_unsupported();
	u8 data[TDREPORT_DATA_SIZE] = { 0 };
	struct td_config config;
	struct tdreport report;
	struct td td;

	if (why)
		SKIP(return, "%s", why);
	td_default_config(&config);
	ASSERT_EQ(0, td_build(&td, &config, TD_HAS_IMAGE));
	for (unsigned int i = 0; i < td.image.nr_regions; i++)
		ASSERT_EQ(0, td_punch_hole(&td, td.image.regions[i].gpa, td.image.regions[i].size));
	ASSERT_EQ(0, td_add_image(&td));
	ASSERT_EQ(0, td_finalize(&td));
	ASSERT_EQ(0, td_start(&td));
	ASSERT_EQ(0, td_report(&td.vcpus[0], data, &report));
	EXPECT_EQ(0, memcmp(td.mrtd, report.td_info.mrtd, SHA384_SIZE))
		TH_LOG("MRTD forgot what was added first");
	td_destroy(&td);
}

TEST_F(memory, shared_both_ways)
{
	ASSERT_EQ(0, td_map_gpa(self->vcpu, TD_FREE_GPA, SOME_PAGES, TD_SHARE));
	ASSERT_EQ(0, td_fill(self->vcpu, TD_FREE_GPA, SOME_PAGES, WORD, SEED, true));
	ASSERT_EQ(0, td_host_check(&self->td, TD_FREE_GPA, SOME_PAGES, WORD, SEED));
	ASSERT_EQ(0, td_host_fill(&self->td, TD_FREE_GPA, SOME_PAGES, WORD, SEED + 1));
	EXPECT_EQ(0, td_check(self->vcpu, TD_FREE_GPA, SOME_PAGES, WORD, SEED + 1, true));
}

/* Neither side sees what the other held before the conversion. */
TEST_F(memory, converted_and_back)
{
	ASSERT_EQ(0, td_accept(self->vcpu, TD_FREE_GPA, SOME_PAGES));
	ASSERT_EQ(0, td_fill(self->vcpu, TD_FREE_GPA, SOME_PAGES, WORD, SEED, false));
	ASSERT_EQ(0, td_map_gpa(self->vcpu, TD_FREE_GPA, SOME_PAGES, TD_SHARE));
	ASSERT_EQ(0, td_host_check(&self->td, TD_FREE_GPA, SOME_PAGES, WORD, 0));
	ASSERT_EQ(0, td_check(self->vcpu, TD_FREE_GPA, SOME_PAGES, WORD, 0, true));

	ASSERT_EQ(0, td_host_fill(&self->td, TD_FREE_GPA, SOME_PAGES, WORD, SEED));
	ASSERT_EQ(0, td_map_gpa(self->vcpu, TD_FREE_GPA, SOME_PAGES, TD_UNSHARE));
	ASSERT_EQ(0, td_accept(self->vcpu, TD_FREE_GPA, SOME_PAGES));
	EXPECT_EQ(0, td_check(self->vcpu, TD_FREE_GPA, SOME_PAGES, WORD, 0, false));
}

/* KVM hands MapGPA on in parts of 2 MB; the guest needs to call once only. */
TEST_F(memory, converted_in_parts)
{
	u64 size = 3 * TD_2M_SIZE + TD_PAGE_SIZE, before = self->vcpu->nr_map_gpa;

	ASSERT_EQ(0, td_map_gpa(self->vcpu, TD_FREE_GPA, size, TD_SHARE));
	EXPECT_EQ(1, self->result[2]);
	EXPECT_EQ(before + 4, self->vcpu->nr_map_gpa);
	ASSERT_EQ(0, td_host_fill(&self->td, TD_FREE_GPA, size, TD_PAGE_SIZE, SEED));
	EXPECT_EQ(0, td_check(self->vcpu, TD_FREE_GPA, size, TD_PAGE_SIZE, SEED, true));
}

TEST_F(memory, map_gpa_refused)
{
	static const struct {
		const char *name;
		u64 gpa, size, status;
	} bad[] = {
		{ "unaligned GPA", TD_FREE_GPA + 1, TD_PAGE_SIZE, TDVMCALL_ALIGN_ERROR },
		{ "unaligned size", TD_FREE_GPA, TD_PAGE_SIZE + 1, TDVMCALL_ALIGN_ERROR },
		{ "no size", TD_FREE_GPA, 0, TDVMCALL_INVALID },
		{ "too large", TD_FREE_GPA, -TD_PAGE_SIZE, TDVMCALL_INVALID },
		{ "end is shared", TD_FREE_GPA, 1UL << 47, TDVMCALL_INVALID },
		{ "not a GPA", 1UL << 60, TD_PAGE_SIZE, TDVMCALL_INVALID },
		{ "no memory", 1UL << 40, TD_PAGE_SIZE, TDVMCALL_INVALID },
	};

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		ASSERT_EQ(0, td_do(self->vcpu, TD_CMD_TDVMCALL, 0, TDVMCALL_MAP_GPA, bad[i].gpa,
				   bad[i].size));
		EXPECT_EQ(bad[i].status, self->result[0])
			TH_LOG("with %s", bad[i].name);
		EXPECT_EQ(bad[i].gpa, self->result[1])
			TH_LOG("with %s", bad[i].name);
	}
}

TEST_F(memory, map_gpa_retried)
{
	self->td.refuse_map_gpa = EAGAIN;
	ASSERT_EQ(0, td_do(self->vcpu, TD_CMD_TDVMCALL, 0, TDVMCALL_MAP_GPA,
			   TD_FREE_GPA | 1UL << 47, TD_PAGE_SIZE));
	EXPECT_EQ(TDVMCALL_RETRY, self->result[0]);
	EXPECT_EQ(TD_FREE_GPA | 1UL << 47, self->result[1]);

	self->td.refuse_map_gpa = EAGAIN;
	ASSERT_EQ(0, td_map_gpa(self->vcpu, TD_FREE_GPA, TD_PAGE_SIZE, TD_SHARE));
	EXPECT_EQ(2, self->result[2]);
}

/* The guest takes for private what the host holds for shared, and vice versa. */
TEST_F(memory, fault_for_private)
{
	ASSERT_EQ(0, td_convert(&self->td, TD_FREE_GPA, TD_PAGE_SIZE, false));
	ASSERT_EQ(TD_STOP_MEMORY_FAULT,
		  td_call(self->vcpu, TD_CMD_ACCEPT, TD_FREE_GPA, TD_PAGE_SIZE, LEVEL_4K));
	EXPECT_EQ(KVM_MEMORY_EXIT_FLAG_PRIVATE, self->vcpu->fault.flags);
	EXPECT_EQ(TD_FREE_GPA, self->vcpu->fault.gpa);
	EXPECT_EQ(TD_PAGE_SIZE, self->vcpu->fault.size);

	ASSERT_EQ(0, td_convert(&self->td, TD_FREE_GPA, TD_PAGE_SIZE, true));
	ASSERT_EQ(TD_STOP_DOORBELL, td_vcpu_run(self->vcpu));
	EXPECT_EQ(1, self->result[0]);
	EXPECT_EQ(0, self->result[1]);
}

TEST_F(memory, fault_for_shared)
{
	ASSERT_EQ(TD_STOP_MEMORY_FAULT,
		  td_call(self->vcpu, TD_CMD_FILL, TD_FREE_GPA, TD_PAGE_SIZE, WORD, SEED, 1));
	EXPECT_EQ(0, self->vcpu->fault.flags);
	EXPECT_EQ(TD_FREE_GPA, self->vcpu->fault.gpa);

	ASSERT_EQ(0, td_convert(&self->td, TD_FREE_GPA, TD_PAGE_SIZE, false));
	ASSERT_EQ(TD_STOP_DOORBELL, td_vcpu_run(self->vcpu));
	EXPECT_EQ(0, td_host_check(&self->td, TD_FREE_GPA, TD_PAGE_SIZE, WORD, SEED));
}

/* Without SEPT_VE_DISABLE a guest may accept pages when it meets them. */
TEST(accepted_by_ve)
{
	const char *why = kvm_tdx_unsupported();
	struct td_config config;
	struct td td;

	if (why)
		SKIP(return, "%s", why);
	td_default_config(&config);
	config.attributes = 0;
	ASSERT_EQ(0, td_build(&td, &config, TD_FINALIZED));
	ASSERT_EQ(0, td_start(&td));
	ASSERT_EQ(0, td_fill(&td.vcpus[0], TD_FREE_GPA, SOME_PAGES, WORD, SEED, false));
	EXPECT_EQ(SOME_PAGES / TD_PAGE_SIZE, td.vcpus[0].mailbox->lazy_accepts);
	EXPECT_EQ(0, td_check(&td.vcpus[0], TD_FREE_GPA, SOME_PAGES, WORD, SEED, false));
	td_destroy(&td);
}

FIXTURE(size)
{
	struct td td;
};

FIXTURE_VARIANT(size)
{
	u64 mb;
};

FIXTURE_VARIANT_ADD(size, 16M) { .mb = 16 };
FIXTURE_VARIANT_ADD(size, 64M) { .mb = 64 };
FIXTURE_VARIANT_ADD(size, 256M) { .mb = 256 };
FIXTURE_VARIANT_ADD(size, 512M) { .mb = 512 };

FIXTURE_SETUP(size)
{
	const char *why = kvm_tdx_unsupported();
	struct td_config config;

	if (why)
		SKIP(return, "%s", why);
	td_default_config(&config);
	config.ram_size = variant->mb * TD_MB;
	ASSERT_EQ(0, td_build(&self->td, &config, TD_FINALIZED));
	ASSERT_EQ(0, td_start(&self->td));
}

FIXTURE_TEARDOWN(size)
{
	td_destroy(&self->td);
}

/* Pages far apart, the last of the RAM among them, so that all levels are there. */
TEST_F(size, first_to_last_page)
{
	struct td_vcpu *vcpu = &self->td.vcpus[0];
	u64 end = variant->mb * TD_MB;

	for (u64 gpa = TD_FREE_GPA - TD_PAGE_SIZE; gpa < end; gpa += 2 * TD_MB)
		ASSERT_EQ(0, td_accept(vcpu, gpa, TD_PAGE_SIZE));
	for (u64 gpa = TD_FREE_GPA - TD_PAGE_SIZE; gpa < end; gpa += 2 * TD_MB)
		ASSERT_EQ(0, td_fill(vcpu, gpa, TD_PAGE_SIZE, WORD, SEED, false));
	for (u64 gpa = TD_FREE_GPA - TD_PAGE_SIZE; gpa < end; gpa += 2 * TD_MB)
		ASSERT_EQ(0, td_check(vcpu, gpa, TD_PAGE_SIZE, WORD, SEED, false));
}

/* All vCPUs want the same pages: each page is accepted by one of them. */
static int accept_same(struct td_vcpu *vcpu, void *arg)
{
	u64 *result = vcpu->mailbox->result, *accepted = arg;

	for (u64 i = 0; i < 64; i++) {
		int ret = td_do(vcpu, TD_CMD_ACCEPT, TD_FREE_GPA + i * TD_PAGE_SIZE, TD_PAGE_SIZE,
				LEVEL_4K);

		if (ret)
			return ret;
		if (result[1] && ACCEPT_STATUS(result[1]) != ALREADY_ACCEPTED)
			return error(-EIO, "accept: status 0x%lx", result[1]);
		__atomic_fetch_add(accepted, result[0], __ATOMIC_RELAXED);
	}
	return 0;
}

TEST(accepted_by_one_vcpu_each)
{
	const char *why = kvm_tdx_unsupported();
	struct td_config config;
	u64 accepted = 0;
	struct td td;

	if (why)
		SKIP(return, "%s", why);
	td_default_config(&config);
	config.nr_vcpus = 2;
	ASSERT_EQ(0, td_build(&td, &config, TD_INITIALIZED));
	if (kvm_ioctl(td.vm_fd, KVM_CHECK_EXTENSION, KVM_CAP_MAX_VCPUS) < 2)
		SKIP(return, "a TD has one vCPU only here");
	td_destroy(&td);

	ASSERT_EQ(0, td_build(&td, &config, TD_FINALIZED));
	ASSERT_EQ(0, td_start(&td));
	EXPECT_EQ(0, td_on_each_vcpu(&td, accept_same, &accepted));
	EXPECT_EQ(64, accepted);
	td_destroy(&td);
}

TEST_HARNESS_MAIN
