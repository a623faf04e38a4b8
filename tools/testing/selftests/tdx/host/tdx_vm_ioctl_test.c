// SPDX-License-Identifier: GPL-2.0
/* What KVM's TDX ioctls on VMs refuse, and that a refusal leaves no trace. */
#include <sys/ioctl.h>
#include "lib/test.h"

#define TDX_OPERAND_INVALID	0xc0000100U
#define OPERAND_TSC_FREQUENCY	0x46

#define MAX_ENTRIES		256
#define LEAF_ADDRESS_SIZES	0x80000008
/* No TD can have it configured. */
#define LEAF_UNKNOWN		0x7fff1234

#define BAD_POINTER		0x1000UL

static int vm_cmd(struct td *td, u32 id, u64 data)
{
	return kvm_tdx_cmd(td->vm_fd, id, 0, data, NULL);
}

FIXTURE(created)
{
	struct td_config config;
	struct td td;
};

FIXTURE_SETUP(created)
{
	const char *why = kvm_tdx_unsupported();

	if (why)
		SKIP(return, "%s", why);
	td_default_config(&self->config);
	ASSERT_EQ(0, td_build(&self->td, &self->config, TD_CREATED));
}

FIXTURE_TEARDOWN(created)
{
	td_destroy(&self->td);
}

TEST_F(created, capabilities_make_sense)
{
	struct kvm_tdx_capabilities *caps = self->td.caps;
	bool has_address_sizes = false;

	EXPECT_NE(0, caps->supported_attrs);
	EXPECT_EQ(3, caps->supported_xfam & 3);
	for (size_t i = 0; i < ARRAY_SIZE(caps->reserved); i++)
		ASSERT_EQ(0, caps->reserved[i]);
	ASSERT_GT(MAX_ENTRIES, caps->cpuid.nent);
	for (u32 i = 0; i < caps->cpuid.nent; i++)
		has_address_sizes |= caps->cpuid.entries[i].function == LEAF_ADDRESS_SIZES;
	EXPECT_TRUE(has_address_sizes);
}

TEST_F(created, capabilities_refused)
{
	struct kvm_tdx_capabilities *caps = self->td.caps;
	u32 nent = caps->cpuid.nent;

	caps->cpuid.nent = nent - 1;
	EXPECT_EQ(-E2BIG, vm_cmd(&self->td, KVM_TDX_CAPABILITIES, (u64)caps));
	caps->cpuid.nent = nent;
	EXPECT_EQ(0, vm_cmd(&self->td, KVM_TDX_CAPABILITIES, (u64)caps));
	EXPECT_EQ(-EFAULT, vm_cmd(&self->td, KVM_TDX_CAPABILITIES, BAD_POINTER));
	EXPECT_EQ(-EINVAL, kvm_tdx_cmd(self->td.vm_fd, KVM_TDX_CAPABILITIES, 1, (u64)caps, NULL));
}

TEST_F(created, commands_refused)
{
	struct kvm_tdx_cmd cmd = {
		.id = KVM_TDX_CAPABILITIES,
		.data = (u64)self->td.caps,
		.hw_error = 1,
	};

	EXPECT_EQ(-EINVAL, vm_cmd(&self->td, KVM_TDX_CMD_NR_MAX, 0));
	EXPECT_EQ(-EINVAL, vm_cmd(&self->td, ~0U, 0));
	EXPECT_EQ(-EINVAL, vm_cmd(&self->td, KVM_TDX_INIT_VCPU, 0));
	EXPECT_EQ(-EINVAL, vm_cmd(&self->td, KVM_TDX_INIT_MEM_REGION, 0));
	EXPECT_EQ(-EINVAL, vm_cmd(&self->td, KVM_TDX_GET_CPUID, 0));
	EXPECT_EQ(-EINVAL, kvm_ioctl_ptr(self->td.vm_fd, KVM_MEMORY_ENCRYPT_OP, &cmd));
	EXPECT_EQ(-EFAULT, kvm_ioctl(self->td.vm_fd, KVM_MEMORY_ENCRYPT_OP, BAD_POINTER));
}

/* Ways to spoil good parameters of KVM_TDX_INIT_VM. */
struct spoiler {
	const char *name;
	void (*spoil)(struct kvm_tdx_init_vm *params, struct td *td);
	int ret;
	/* The upper half of hw_error. */
	u32 status;
};

static void spoil_attributes(struct kvm_tdx_init_vm *params, struct td *td)
{
	params->attributes |= ~td->caps->supported_attrs & -~td->caps->supported_attrs;
}

static void spoil_xfam(struct kvm_tdx_init_vm *params, struct td *td)
{
	params->xfam |= ~td->caps->supported_xfam & -~td->caps->supported_xfam;
}

static void spoil_reserved(struct kvm_tdx_init_vm *params, struct td *td)
{
	(void)td;
	params->reserved[ARRAY_SIZE(params->reserved) - 1] = 1;
}

static void spoil_padding(struct kvm_tdx_init_vm *params, struct td *td)
{
	(void)td;
	params->cpuid.padding = 1;
}

static void spoil_nent(struct kvm_tdx_init_vm *params, struct td *td)
{
	(void)td;
	params->cpuid.nent = MAX_ENTRIES + 1;
}

static struct kvm_cpuid_entry2 *entry_of(struct kvm_tdx_init_vm *params, u32 function)
{
	struct kvm_cpuid_entry2 *entry = params->cpuid.entries;

	while (entry->function != function || entry->index)
		entry++;
	return entry;
}

static void spoil_no_cpuid(struct kvm_tdx_init_vm *params, struct td *td)
{
	(void)td;
	params->cpuid.nent = 0;
}

static void spoil_gpa_width(struct kvm_tdx_init_vm *params, struct td *td)
{
	struct kvm_cpuid_entry2 *entry = entry_of(params, LEAF_ADDRESS_SIZES);

	(void)td;
	entry->eax = (entry->eax & ~0x00ff0000U) | 49 << 16;
}

static void spoil_unknown_leaf(struct kvm_tdx_init_vm *params, struct td *td)
{
	(void)td;
	entry_of(params, 1)->function = LEAF_UNKNOWN;
}

/* Restricted transactional memory, which TDs with KVM never have. */
static void spoil_tsx(struct kvm_tdx_init_vm *params, struct td *td)
{
	(void)td;
	entry_of(params, 7)->ebx |= 1 << 11;
}

/* A bit that is not configurable: the TDX module refuses, not KVM. */
static void spoil_cpuid_bit(struct kvm_tdx_init_vm *params, struct td *td)
{
	(void)td;
	entry_of(params, LEAF_ADDRESS_SIZES)->edx |= 1U << 31;
}

static const struct spoiler spoilers[] = {
	{ "attributes", spoil_attributes, -EINVAL, 0 },
	{ "xfam", spoil_xfam, -EINVAL, 0 },
	{ "reserved", spoil_reserved, -EINVAL, 0 },
	{ "padding", spoil_padding, -EINVAL, 0 },
	{ "too many CPUID entries", spoil_nent, -E2BIG, 0 },
	{ "no CPUID entries", spoil_no_cpuid, -EINVAL, 0 },
	{ "GPA width", spoil_gpa_width, -EINVAL, 0 },
	{ "unknown CPUID leaf", spoil_unknown_leaf, -EINVAL, 0 },
	{ "TSX", spoil_tsx, -EINVAL, 0 },
	{ "fixed CPUID bit", spoil_cpuid_bit, -EINVAL, TDX_OPERAND_INVALID },
};

/* After each refusal the same VM can still become a TD; the last step does that. */
TEST_F(created, init_vm_refused)
{
	struct td *td = &self->td;

	for (size_t i = 0; i < ARRAY_SIZE(spoilers); i++) {
		struct kvm_tdx_init_vm *params = td_init_vm_params(td);
		u64 hw_error;
		int ret;

		ASSERT_NE(NULL, params);
		spoilers[i].spoil(params, td);
		ret = kvm_tdx_cmd(td->vm_fd, KVM_TDX_INIT_VM, 0, (u64)params, &hw_error);
		free(params);
		EXPECT_EQ(spoilers[i].ret, ret)
			TH_LOG("with bad %s", spoilers[i].name);
		EXPECT_EQ(spoilers[i].status, hw_error >> 32)
			TH_LOG("with bad %s", spoilers[i].name);
	}
	EXPECT_EQ(0, td_init_vm(td));
}

TEST_F(created, init_vm_bad_call)
{
	struct kvm_tdx_init_vm *params = td_init_vm_params(&self->td);

	ASSERT_NE(NULL, params);
	EXPECT_EQ(-EFAULT, vm_cmd(&self->td, KVM_TDX_INIT_VM, BAD_POINTER));
	EXPECT_EQ(-EINVAL, kvm_tdx_cmd(self->td.vm_fd, KVM_TDX_INIT_VM, 1, (u64)params, NULL));
	EXPECT_EQ(0, vm_cmd(&self->td, KVM_TDX_INIT_VM, (u64)params));
	EXPECT_EQ(-EINVAL, vm_cmd(&self->td, KVM_TDX_INIT_VM, (u64)params));
	free(params);
}

/* The TDX module takes 100 MHz to 10 GHz. */
TEST_F(created, init_vm_tsc_frequency)
{
	struct kvm_tdx_init_vm *params = td_init_vm_params(&self->td);
	int khz = kvm_ioctl(self->td.vm_fd, KVM_GET_TSC_KHZ, 0);
	u64 hw_error;

	ASSERT_NE(NULL, params);
	ASSERT_LT(0, khz);
	ASSERT_EQ(0, kvm_ioctl(self->td.vm_fd, KVM_SET_TSC_KHZ, 75000));
	EXPECT_EQ(-EINVAL, kvm_tdx_cmd(self->td.vm_fd, KVM_TDX_INIT_VM, 0, (u64)params,
				       &hw_error));
	EXPECT_EQ(TDX_OPERAND_INVALID, hw_error >> 32);
	EXPECT_EQ(OPERAND_TSC_FREQUENCY, (u32)hw_error);

	ASSERT_EQ(0, kvm_ioctl(self->td.vm_fd, KVM_SET_TSC_KHZ, khz));
	EXPECT_EQ(0, vm_cmd(&self->td, KVM_TDX_INIT_VM, (u64)params));
	free(params);
}

TEST_F(created, before_init_vm)
{
	EXPECT_EQ(-EINVAL, vm_cmd(&self->td, KVM_TDX_FINALIZE_VM, 0));
	EXPECT_EQ(-EIO, kvm_ioctl(self->td.vm_fd, KVM_CREATE_VCPU, 0));
	EXPECT_EQ(0, td_init_vm(&self->td));
}

TEST_F(created, vm_without_irqchip)
{
	int vm_fd = kvm_ioctl(self->td.kvm_fd, KVM_CREATE_VM, KVM_X86_TDX_VM);
	struct kvm_tdx_init_vm *params = td_init_vm_params(&self->td);

	ASSERT_LE(0, vm_fd);
	ASSERT_NE(NULL, params);
	ASSERT_EQ(0, kvm_tdx_cmd(vm_fd, KVM_TDX_INIT_VM, 0, (u64)params, NULL));
	EXPECT_EQ(-EINVAL, kvm_ioctl(vm_fd, KVM_CREATE_VCPU, 0));
	/* EINVAL, or ENOTTY in a kernel without CONFIG_KVM_IOAPIC. */
	EXPECT_GT(0, kvm_ioctl(vm_fd, KVM_CREATE_IRQCHIP, 0));
	free(params);
	close(vm_fd);
}

TEST_F(created, exit_hypercall_refused)
{
	struct kvm_enable_cap cap = { .cap = KVM_CAP_EXIT_HYPERCALL, .args = { 1 } };

	EXPECT_EQ(-EINVAL, kvm_ioctl_ptr(self->td.vm_fd, KVM_ENABLE_CAP, &cap));
}

TEST_F(created, another_process)
{
	int status;
	pid_t pid = fork();

	ASSERT_LE(0, pid);
	if (!pid)
		_exit(td_init_vm(&self->td) == -EIO ? 0 : 1);
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	EXPECT_EQ(0, td_init_vm(&self->td));
}

FIXTURE(initialized)
{
	struct td_config config;
	struct td td;
};

FIXTURE_SETUP(initialized)
{
	const char *why = kvm_tdx_unsupported();

	if (why)
		SKIP(return, "%s", why);
	td_default_config(&self->config);
	ASSERT_EQ(0, td_build(&self->td, &self->config, TD_INITIALIZED));
}

FIXTURE_TEARDOWN(initialized)
{
	td_destroy(&self->td);
}

TEST_F(initialized, number_of_vcpus)
{
	int max = kvm_ioctl(self->td.vm_fd, KVM_CHECK_EXTENSION, KVM_CAP_MAX_VCPUS);
	int fd;

	ASSERT_LT(0, max);
	if (max > TD_MAX_VCPUS)
		SKIP(return, "up to %d vCPUs are more than this test creates", max);

	for (int i = 0; i < max; i++)
		ASSERT_EQ(0, td_create_vcpu(&self->td, i));
	fd = kvm_ioctl(self->td.vm_fd, KVM_CREATE_VCPU, max);
	EXPECT_EQ(-EINVAL, fd);
}

TEST_F(initialized, duplicate_vcpu)
{
	ASSERT_EQ(0, td_create_vcpu(&self->td, 0));
	EXPECT_EQ(-EEXIST, kvm_ioctl(self->td.vm_fd, KVM_CREATE_VCPU, 0));
}

TEST_F(initialized, tsc_frequency_is_fixed)
{
	int khz = kvm_ioctl(self->td.vm_fd, KVM_GET_TSC_KHZ, 0);

	ASSERT_EQ(0, td_create_vcpu(&self->td, 0));
	EXPECT_EQ(-EINVAL, kvm_ioctl(self->td.vm_fd, KVM_SET_TSC_KHZ, khz));
	EXPECT_EQ(-EINVAL, kvm_ioctl(self->td.vcpus[0].fd, KVM_SET_TSC_KHZ, khz));
}

TEST_F(initialized, read_only_memory)
{
	struct kvm_userspace_memory_region2 region = {
		.flags = KVM_MEM_READONLY,
		.memory_size = TD_PAGE_SIZE,
	};

	region.userspace_addr = (u64)mmap(NULL, TD_PAGE_SIZE, PROT_READ,
					  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	EXPECT_EQ(-EINVAL, kvm_ioctl_ptr(self->td.vm_fd, KVM_SET_USER_MEMORY_REGION2, &region));
}

/* A guest_memfd belongs to the VM that created it. */
TEST_F(initialized, foreign_guest_memfd)
{
	struct kvm_create_guest_memfd gmem = { .size = TD_2M_SIZE };
	struct kvm_userspace_memory_region2 region = {
		.flags = KVM_MEM_GUEST_MEMFD,
		.memory_size = TD_2M_SIZE,
	};
	struct td other;

	ASSERT_EQ(0, td_build(&other, &self->config, TD_CREATED));
	region.guest_memfd = kvm_ioctl_ptr(other.vm_fd, KVM_CREATE_GUEST_MEMFD, &gmem);
	ASSERT_LE(0, (int)region.guest_memfd);
	region.userspace_addr = (u64)mmap(NULL, TD_2M_SIZE, PROT_READ | PROT_WRITE,
					  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	EXPECT_EQ(-EINVAL, kvm_ioctl_ptr(self->td.vm_fd, KVM_SET_USER_MEMORY_REGION2, &region));
	close(region.guest_memfd);
	td_destroy(&other);
}

TEST_F(initialized, memory_attributes_refused)
{
	struct kvm_memory_attributes attr = {
		.size = TD_PAGE_SIZE,
		.attributes = 1,
	};

	EXPECT_EQ(-EINVAL, kvm_ioctl_ptr(self->td.vm_fd, KVM_SET_MEMORY_ATTRIBUTES, &attr));
	attr.attributes = KVM_MEMORY_ATTRIBUTE_PRIVATE;
	attr.address = 1;
	EXPECT_EQ(-EINVAL, kvm_ioctl_ptr(self->td.vm_fd, KVM_SET_MEMORY_ATTRIBUTES, &attr));
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

TEST_F(finalized, only_once)
{
	EXPECT_EQ(-EINVAL, vm_cmd(&self->td, KVM_TDX_FINALIZE_VM, 0));
	EXPECT_EQ(-EINVAL, vm_cmd(&self->td, KVM_TDX_INIT_VM, (u64)self->td.caps));
}

TEST_HARNESS_MAIN
