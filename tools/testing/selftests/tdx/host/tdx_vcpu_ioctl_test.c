// SPDX-License-Identifier: GPL-2.0
/* What KVM's ioctls on TD vCPUs refuse: wrong order, bad operands, secrets. */
#include <sys/ioctl.h>
#include "lib/test.h"

#define BAD_POINTER		0x1000UL
#define UNALIGNED		1

static int vcpu_cmd(struct td_vcpu *vcpu, u32 id, u64 data)
{
	return kvm_tdx_cmd(vcpu->fd, id, 0, data, NULL);
}

/* A vCPU without CPUID, as KVM_CREATE_VCPU makes it. */
FIXTURE(bare)
{
	struct td td;
	struct td_vcpu *vcpu;
};

FIXTURE_SETUP(bare)
{
	const char *why = kvm_tdx_unsupported();
	struct td_config config;

	if (why)
		SKIP(return, "%s", why);
	td_default_config(&config);
	ASSERT_EQ(0, td_build(&self->td, &config, TD_HAS_SLOTS));
	self->vcpu = &self->td.vcpus[0];
	self->vcpu->td = &self->td;
	self->vcpu->fd = kvm_ioctl(self->td.vm_fd, KVM_CREATE_VCPU, 0);
	ASSERT_LE(0, self->vcpu->fd);
	self->td.nr_vcpus = 1;
}

FIXTURE_TEARDOWN(bare)
{
	td_destroy(&self->td);
}

TEST_F(bare, commands_refused)
{
	struct kvm_tdx_cmd cmd = { .id = KVM_TDX_INIT_VCPU, .hw_error = 1 };

	EXPECT_EQ(-EINVAL, vcpu_cmd(self->vcpu, KVM_TDX_CMD_NR_MAX, 0));
	EXPECT_EQ(-EINVAL, vcpu_cmd(self->vcpu, KVM_TDX_CAPABILITIES, 0));
	EXPECT_EQ(-EINVAL, vcpu_cmd(self->vcpu, KVM_TDX_INIT_VM, 0));
	EXPECT_EQ(-EINVAL, vcpu_cmd(self->vcpu, KVM_TDX_FINALIZE_VM, 0));
	EXPECT_EQ(-EINVAL, kvm_ioctl_ptr(self->vcpu->fd, KVM_MEMORY_ENCRYPT_OP, &cmd));
	EXPECT_EQ(-EFAULT, kvm_ioctl(self->vcpu->fd, KVM_MEMORY_ENCRYPT_OP, BAD_POINTER));
}

/* Without the x2APIC in its CPUID, a vCPU cannot be a TD's. */
TEST_F(bare, init_vcpu_without_x2apic)
{
	EXPECT_EQ(-EINVAL, vcpu_cmd(self->vcpu, KVM_TDX_INIT_VCPU, 0));
	ASSERT_EQ(0, td_set_cpuid(self->vcpu));
	EXPECT_EQ(-EINVAL, kvm_tdx_cmd(self->vcpu->fd, KVM_TDX_INIT_VCPU, 1, 0, NULL));
	EXPECT_EQ(0, vcpu_cmd(self->vcpu, KVM_TDX_INIT_VCPU, 0));
	EXPECT_EQ(-EINVAL, vcpu_cmd(self->vcpu, KVM_TDX_INIT_VCPU, 0));
}

TEST_F(bare, before_init_vcpu)
{
	struct kvm_tdx_init_mem_region region = {
		.source_addr = (u64)self->td.image.regions[0].data,
		.gpa = self->td.image.regions[0].gpa,
		.nr_pages = 1,
	};

	EXPECT_EQ(-EINVAL, vcpu_cmd(self->vcpu, KVM_TDX_INIT_MEM_REGION, (u64)&region));
	EXPECT_EQ(-EINVAL, kvm_ioctl(self->vcpu->fd, KVM_RUN, 0));
}

TEST_F(bare, get_cpuid)
{
	struct kvm_cpuid2 *cpuid;
	u32 nent;

	cpuid = calloc(1, sizeof(*cpuid) + 256 * sizeof(cpuid->entries[0]));
	ASSERT_NE(NULL, cpuid);

	cpuid->nent = 1;
	EXPECT_EQ(-E2BIG, vcpu_cmd(self->vcpu, KVM_TDX_GET_CPUID, (u64)cpuid));
	nent = cpuid->nent;
	ASSERT_LT(1, nent);
	ASSERT_GE(256, nent);
	EXPECT_EQ(0, cpuid->entries[1].function);

	EXPECT_EQ(0, vcpu_cmd(self->vcpu, KVM_TDX_GET_CPUID, (u64)cpuid));
	EXPECT_EQ(nent, cpuid->nent);
	EXPECT_EQ(0, cpuid->entries[0].function);
	EXPECT_EQ(-EFAULT, vcpu_cmd(self->vcpu, KVM_TDX_GET_CPUID, BAD_POINTER));
	free(cpuid);
}

FIXTURE(has_vcpu)
{
	struct td_config config;
	struct td td;
};

FIXTURE_SETUP(has_vcpu)
{
	const char *why = kvm_tdx_unsupported();

	if (why)
		SKIP(return, "%s", why);
	td_default_config(&self->config);
	ASSERT_EQ(0, td_build(&self->td, &self->config, TD_HAS_VCPUS));
}

FIXTURE_TEARDOWN(has_vcpu)
{
	td_destroy(&self->td);
}

struct bad_region {
	const char *name;
	struct kvm_tdx_init_mem_region change;
	u32 flags;
	int ret;
};

/* Fields to add to good ones. */
static const struct bad_region bad_regions[] = {
	{ "unaligned source", { .source_addr = UNALIGNED }, 0, -EINVAL },
	{ "unaligned GPA", { .gpa = UNALIGNED }, 0, -EINVAL },
	{ "no pages", { .nr_pages = -1ULL }, 0, -EINVAL },
	{ "shared GPA", { .gpa = 1ULL << 47 }, 0, -EINVAL },
	{ "range that ends in shared GPAs", { .nr_pages = 1ULL << 35 }, 0, -EINVAL },
	{ "unknown flag", { }, 2, -EINVAL },
};

TEST_F(has_vcpu, mem_region_refused)
{
	struct td_region *good = &self->td.image.regions[0];
	struct td_vcpu *vcpu = &self->td.vcpus[0];

	for (size_t i = 0; i < ARRAY_SIZE(bad_regions); i++) {
		const struct bad_region *bad = &bad_regions[i];
		struct kvm_tdx_init_mem_region region = {
			.source_addr = (u64)good->data + bad->change.source_addr,
			.gpa = good->gpa + bad->change.gpa,
			.nr_pages = 1 + bad->change.nr_pages,
		};

		EXPECT_EQ(bad->ret, kvm_tdx_cmd(vcpu->fd, KVM_TDX_INIT_MEM_REGION, bad->flags,
						(u64)&region, NULL))
			TH_LOG("with %s", bad->name);
	}
	EXPECT_EQ(-EFAULT, vcpu_cmd(vcpu, KVM_TDX_INIT_MEM_REGION, BAD_POINTER));
}

/* Where there is no slot, where memory is shared, and from nowhere. */
TEST_F(has_vcpu, mem_region_without_memory)
{
	struct td_region *good = &self->td.image.regions[0];
	struct td_vcpu *vcpu = &self->td.vcpus[0];
	struct kvm_tdx_init_mem_region region = {
		.source_addr = (u64)good->data,
		.gpa = self->config.ram_size,
		.nr_pages = 1,
	};

	EXPECT_EQ(-EINVAL, vcpu_cmd(vcpu, KVM_TDX_INIT_MEM_REGION, (u64)&region));
	region.gpa = TD_MAILBOX_GPA;
	EXPECT_EQ(-EINVAL, vcpu_cmd(vcpu, KVM_TDX_INIT_MEM_REGION, (u64)&region));
	region.gpa = good->gpa;
	region.source_addr = BAD_POINTER;
	EXPECT_EQ(-EFAULT, vcpu_cmd(vcpu, KVM_TDX_INIT_MEM_REGION, (u64)&region));
	EXPECT_EQ(1, region.nr_pages);
}

/* Of two pages the second has no memory: KVM says that one is left. */
TEST_F(has_vcpu, mem_region_progress)
{
	struct td_region *good = &self->td.image.regions[0];
	struct kvm_tdx_init_mem_region region = {
		.source_addr = (u64)good->data,
		.gpa = self->config.ram_size - TD_PAGE_SIZE,
		.nr_pages = 2,
	};

	EXPECT_EQ(-EINVAL, vcpu_cmd(&self->td.vcpus[0], KVM_TDX_INIT_MEM_REGION, (u64)&region));
	EXPECT_EQ(1, region.nr_pages);
	EXPECT_EQ(self->config.ram_size, region.gpa);
	EXPECT_EQ((u64)good->data + TD_PAGE_SIZE, region.source_addr);
}

/* A page cannot be added twice, and the TD is still good. */
TEST_F(has_vcpu, mem_region_twice)
{
	struct td_region *good = &self->td.image.regions[0];
	struct kvm_tdx_init_mem_region region = {
		.source_addr = (u64)good->data,
		.gpa = good->gpa,
		.nr_pages = 1,
	};

	ASSERT_EQ(0, td_add_image(&self->td));
	EXPECT_EQ(-EIO, vcpu_cmd(&self->td.vcpus[0], KVM_TDX_INIT_MEM_REGION, (u64)&region));
	ASSERT_EQ(0, td_finalize(&self->td));
	ASSERT_EQ(0, td_start(&self->td));
	EXPECT_EQ(0, td_end(&self->td.vcpus[0], 0, "good"));
}

/* Not before the memory is there, nor before the TD is finalised. */
TEST_F(has_vcpu, run_too_early)
{
	EXPECT_EQ(-EINVAL, kvm_ioctl(self->td.vcpus[0].fd, KVM_RUN, 0));
	ASSERT_EQ(0, td_add_image(&self->td));
	EXPECT_EQ(-EINVAL, kvm_ioctl(self->td.vcpus[0].fd, KVM_RUN, 0));
	ASSERT_EQ(0, td_finalize(&self->td));
	EXPECT_EQ(0, td_start(&self->td));
}

TEST_F(has_vcpu, pre_fault_too_early)
{
	struct kvm_pre_fault_memory range = { .gpa = TD_FREE_GPA, .size = TD_PAGE_SIZE };

	EXPECT_EQ(-EOPNOTSUPP,
		  kvm_ioctl_ptr(self->td.vcpus[0].fd, KVM_PRE_FAULT_MEMORY, &range));
}

FIXTURE(finalized)
{
	struct td_config config;
	struct td td;
};

FIXTURE_SETUP(finalized)
{
	const char *why = kvm_tdx_unsupported();

	if (why)
		SKIP(return, "%s", why);
	td_default_config(&self->config);
	ASSERT_EQ(0, td_build(&self->td, &self->config, TD_FINALIZED));
}

FIXTURE_TEARDOWN(finalized)
{
	td_destroy(&self->td);
}

TEST_F(finalized, commands_refused)
{
	struct td_vcpu *vcpu = &self->td.vcpus[0];
	struct kvm_tdx_init_mem_region region = {
		.source_addr = (u64)self->td.image.regions[0].data,
		.gpa = TD_FREE_GPA,
		.nr_pages = 1,
	};

	EXPECT_EQ(-EINVAL, vcpu_cmd(vcpu, KVM_TDX_INIT_VCPU, 0));
	EXPECT_EQ(-EINVAL, vcpu_cmd(vcpu, KVM_TDX_GET_CPUID, (u64)&self->td.caps->cpuid));
	EXPECT_EQ(-EINVAL, vcpu_cmd(vcpu, KVM_TDX_INIT_MEM_REGION, (u64)&region));
}

TEST_F(finalized, no_smi)
{
	EXPECT_EQ(-ENOTTY, kvm_ioctl(self->td.vcpus[0].fd, KVM_SMI, 0));
}

/* The registers of a TD are none of the host's business. */
TEST_F(finalized, state_is_protected)
{
	static union {
		struct kvm_regs regs;
		struct kvm_sregs sregs;
		struct kvm_sregs2 sregs2;
		struct kvm_fpu fpu;
		struct kvm_xsave xsave;
		struct kvm_xcrs xcrs;
		struct kvm_debugregs debugregs;
		struct kvm_guest_debug guest_debug;
	} any;
	static const struct {
		const char *name;
		unsigned long request;
	} requests[] = {
		{ "KVM_GET_REGS", KVM_GET_REGS }, { "KVM_SET_REGS", KVM_SET_REGS },
		{ "KVM_GET_SREGS", KVM_GET_SREGS }, { "KVM_SET_SREGS", KVM_SET_SREGS },
		{ "KVM_GET_SREGS2", KVM_GET_SREGS2 }, { "KVM_SET_SREGS2", KVM_SET_SREGS2 },
		{ "KVM_GET_FPU", KVM_GET_FPU }, { "KVM_SET_FPU", KVM_SET_FPU },
		{ "KVM_GET_XSAVE", KVM_GET_XSAVE }, { "KVM_SET_XSAVE", KVM_SET_XSAVE },
		{ "KVM_GET_XCRS", KVM_GET_XCRS }, { "KVM_SET_XCRS", KVM_SET_XCRS },
		{ "KVM_GET_DEBUGREGS", KVM_GET_DEBUGREGS },
		{ "KVM_SET_DEBUGREGS", KVM_SET_DEBUGREGS },
		{ "KVM_SET_GUEST_DEBUG", KVM_SET_GUEST_DEBUG },
	};

	for (size_t i = 0; i < ARRAY_SIZE(requests); i++) {
		memset(&any, 0, sizeof(any));
		EXPECT_EQ(-EINVAL, kvm_ioctl_ptr(self->td.vcpus[0].fd, requests[i].request, &any))
			TH_LOG("%s", requests[i].name);
	}
}

/* A vCPU that came too late stays out of it and does no harm. */
TEST(vcpu_without_init)
{
	const char *why = kvm_tdx_unsupported();
	struct td_config config;
	struct td td;

	if (why)
		SKIP(return, "%s", why);
	td_default_config(&config);
	ASSERT_EQ(0, td_build(&td, &config, TD_HAS_VCPUS));
	if (kvm_ioctl(td.vm_fd, KVM_CHECK_EXTENSION, KVM_CAP_MAX_VCPUS) < 2)
		SKIP(return, "a TD has one vCPU only here");
	ASSERT_EQ(0, td_create_vcpu(&td, 1));
	ASSERT_EQ(0, td_add_image(&td));
	ASSERT_EQ(0, td_finalize(&td));

	EXPECT_EQ(-EINVAL, vcpu_cmd(&td.vcpus[1], KVM_TDX_INIT_VCPU, 0));
	ASSERT_EQ(TD_STOP_DOORBELL, td_vcpu_run(&td.vcpus[0]));
	EXPECT_EQ(0, td_end(&td.vcpus[0], 0, "alone"));
	td_destroy(&td);
}

TEST_HARNESS_MAIN
