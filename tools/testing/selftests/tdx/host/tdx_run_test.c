// SPDX-License-Identifier: GPL-2.0
/* TDs that run: what guests ask of the host, and how they end. */
#include "lib/test.h"

#define TDX_OPERAND_INVALID		0xc0000100U

#define TDVMCALL_SUBFUNC_UNSUPPORTED	0x8000000000000003UL
#define TDVMCALL_INVALID_OPERAND	0x8000000000000000UL
#define TDVMCALL_GET_INFO		0x10000
#define TDVMCALL_IO			30

#define MSR_X2APIC_ID			0x802
#define MSR_X2APIC_SVR			0x80f
#define MSR_X2APIC_ICR			0x830
/* In the range of KVM's own MSRs, but none of them. */
#define MSR_UNKNOWN			0x4b564dff

#define APIC_BASE_ADDRESS		0xfee00000

FIXTURE(running)
{
	struct td_config config;
	struct td td;
	struct td_vcpu *vcpu;
	u64 *result;
};

FIXTURE_SETUP(running)
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

FIXTURE_TEARDOWN(running)
{
	td_destroy(&self->td);
}

TEST_F(running, prints)
{
	ASSERT_EQ(0, td_print(self->vcpu, "Hello from a TD\n"));
	EXPECT_STREQ("Hello from a TD\n", self->vcpu->console);
}

TEST_F(running, knows_itself)
{
	ASSERT_EQ(0, td_do(self->vcpu, TD_CMD_INFO));
	EXPECT_EQ(self->config.gpaw, self->result[0]);
	EXPECT_EQ(self->config.attributes, self->result[1] & self->config.attributes);
	EXPECT_EQ(1, (u32)self->result[2]);
	EXPECT_EQ(0, self->result[3]);
}

TEST_F(running, cpuid_from_kvm)
{
	u64 before = self->vcpu->mailbox->ve_count;

	ASSERT_EQ(0, td_do(self->vcpu, TD_CMD_CPUID, TD_CPUID_LEAF));
	EXPECT_EQ(TD_CPUID_EAX, self->result[0]);
	EXPECT_EQ(TD_CPUID_EBX, self->result[1]);
	EXPECT_EQ(TD_CPUID_ECX, self->result[2]);
	EXPECT_EQ(TD_CPUID_EDX, self->result[3]);
	EXPECT_EQ(before + 1, self->vcpu->mailbox->ve_count);
}

/* "IntelTDX    ", which the TDX module gives without asking the host. */
TEST_F(running, cpuid_from_module)
{
	u64 before = self->vcpu->mailbox->ve_count;

	ASSERT_EQ(0, td_do(self->vcpu, TD_CMD_CPUID, 0x21, 0));
	EXPECT_EQ(0x65746e49, self->result[1]);
	EXPECT_EQ(0x5844546c, self->result[3]);
	EXPECT_EQ(0x20202020, self->result[2]);
	EXPECT_EQ(before, self->vcpu->mailbox->ve_count);
}

TEST_F(running, msrs_from_kvm)
{
	ASSERT_EQ(0, td_do(self->vcpu, TD_CMD_RDMSR, MSR_X2APIC_ID));
	EXPECT_EQ(0, self->vcpu->mailbox->ve_status);
	EXPECT_EQ(self->vcpu->id, self->result[0]);

	ASSERT_EQ(0, td_do(self->vcpu, TD_CMD_WRMSR, MSR_X2APIC_SVR, 0x1f0));
	EXPECT_EQ(0, self->vcpu->mailbox->ve_status);
	ASSERT_EQ(0, td_do(self->vcpu, TD_CMD_RDMSR, MSR_X2APIC_SVR));
	EXPECT_EQ(0x1f0, self->result[0]);
}

TEST_F(running, msrs_refused)
{
	ASSERT_EQ(0, td_do(self->vcpu, TD_CMD_RDMSR, MSR_UNKNOWN));
	EXPECT_EQ(TDVMCALL_INVALID_OPERAND, self->vcpu->mailbox->ve_status);
	ASSERT_EQ(0, td_do(self->vcpu, TD_CMD_WRMSR, MSR_UNKNOWN, 1));
	EXPECT_EQ(TDVMCALL_INVALID_OPERAND, self->vcpu->mailbox->ve_status);
	EXPECT_EQ(0, td_print(self->vcpu, "alive"));
}

TEST_F(running, ports)
{
	static const u64 value = 0x12345678;

	for (u64 size = 1; size <= 4; size *= 2) {
		u64 mask = ~0UL >> (64 - 8 * size);
		u64 before = self->vcpu->mailbox->ve_count;

		ASSERT_EQ(0, td_do(self->vcpu, TD_CMD_OUT, TD_PORT_ECHO, size, value));
		EXPECT_EQ(value & mask, self->vcpu->port_echo);
		ASSERT_EQ(0, td_do(self->vcpu, TD_CMD_IN, TD_PORT_ECHO, size));
		EXPECT_EQ(~value & mask, self->result[0]);
		EXPECT_EQ(before + 2, self->vcpu->mailbox->ve_count);
	}
}

/* The first access only makes KVM arrange for #VEs, so it may take more. */
TEST_F(running, mmio)
{
	static const u64 value = 0x123456789abcdef0;

	for (u64 size = 1; size <= 8; size *= 2) {
		u64 mask = ~0UL >> (64 - 8 * size);

		ASSERT_EQ(0, td_do(self->vcpu, TD_CMD_MMIO_WRITE, TD_MMIO_ECHO, size, value));
		EXPECT_EQ(0, self->vcpu->mailbox->ve_status);
		EXPECT_EQ(value & mask, self->vcpu->mmio_echo);
		ASSERT_EQ(0, td_do(self->vcpu, TD_CMD_MMIO_READ, TD_MMIO_ECHO, size));
		EXPECT_EQ(~value & mask, self->result[0]);
	}
}

TEST_F(running, tdvmcalls_refused)
{
	/* An unknown sub-function, a port of 3 bytes, and of neither direction. */
	ASSERT_EQ(0, td_do(self->vcpu, TD_CMD_TDVMCALL, 0, 0x1ffff));
	EXPECT_EQ(TDVMCALL_SUBFUNC_UNSUPPORTED, self->result[0]);
	ASSERT_EQ(0, td_do(self->vcpu, TD_CMD_TDVMCALL, 0, TDVMCALL_IO, 3, 1, TD_PORT_ECHO));
	EXPECT_EQ(TDVMCALL_INVALID_OPERAND, self->result[0]);
	ASSERT_EQ(0, td_do(self->vcpu, TD_CMD_TDVMCALL, 0, TDVMCALL_IO, 1, 2, TD_PORT_ECHO));
	EXPECT_EQ(TDVMCALL_INVALID_OPERAND, self->result[0]);
}

TEST_F(running, tdvmcall_info)
{
	for (u64 leaf = 0; leaf <= 1; leaf++) {
		ASSERT_EQ(0, td_do(self->vcpu, TD_CMD_TDVMCALL, 0, TDVMCALL_GET_INFO, leaf));
		EXPECT_EQ(0, self->result[0]);
	}
	ASSERT_EQ(0, td_do(self->vcpu, TD_CMD_TDVMCALL, 0, TDVMCALL_GET_INFO, 2));
	EXPECT_EQ(TDVMCALL_INVALID_OPERAND, self->result[0]);
}

TEST_F(running, unknown_tdcall)
{
	ASSERT_EQ(0, td_do(self->vcpu, TD_CMD_TDCALL, 0x7777));
	EXPECT_EQ(TDX_OPERAND_INVALID, self->result[0] >> 32);
}

/* All the 64 bytes of text that its registers hold arrive. */
TEST_F(running, ends_with_fatal_error)
{
	char text[65] = { 0 };

	for (int i = 0; i < 64; i++)
		text[i] = '0' + i;
	EXPECT_EQ(0, td_end(self->vcpu, 0x7d, text));
}

TEST_F(running, ends_with_triple_fault)
{
	EXPECT_EQ(TD_STOP_SHUTDOWN, td_call(self->vcpu, TD_CMD_TRIPLE_FAULT));
}

static int signal_msi(struct td *td, unsigned int apic_id, u32 vector)
{
	struct kvm_msi msi = {
		.address_lo = APIC_BASE_ADDRESS | apic_id << 12,
		.data = vector,
	};

	return kvm_ioctl_ptr(td->vm_fd, KVM_SIGNAL_MSI, &msi);
}

struct waker {
	struct td *td;
	bool done;
};

/* Again and again: the vCPU may not listen yet. */
static void *wake(void *arg)
{
	struct waker *waker = arg;

	while (!__atomic_load_n(&waker->done, __ATOMIC_ACQUIRE)) {
		signal_msi(waker->td, 0, TD_WAKE_VECTOR);
		usleep(10000);
	}
	return NULL;
}

TEST_F(running, halt_and_interrupt)
{
	struct waker waker = { .td = &self->td };
	pthread_t thread;

	ASSERT_EQ(0, pthread_create(&thread, NULL, wake, &waker));
	EXPECT_EQ(0, td_do(self->vcpu, TD_CMD_HALT));
	__atomic_store_n(&waker.done, true, __ATOMIC_RELEASE);
	pthread_join(thread, NULL);
	EXPECT_LE(1, self->result[0]);
}

static int run_until_kicked(struct td_vcpu *vcpu, void *arg)
{
	(void)arg;
	return td_call(vcpu, TD_CMD_SPIN) == TD_STOP_KICKED ? 0 : -EIO;
}

static void *kick_busy_vcpu(void *arg)
{
	struct td_vcpu *vcpu = arg;

	while (!__atomic_load_n(&vcpu->mailbox->progress, __ATOMIC_RELAXED))
		usleep(1000);
	td_vcpu_kick(vcpu);
	return NULL;
}

/* A vCPU that never exits by itself comes back for a signal, and goes on. */
TEST_F(running, kicked)
{
	pthread_t thread;
	u64 progress;

	td_allow_kicks();
	ASSERT_EQ(0, pthread_create(&thread, NULL, kick_busy_vcpu, self->vcpu));
	EXPECT_EQ(0, td_on_each_vcpu(&self->td, run_until_kicked, NULL));
	pthread_join(thread, NULL);

	progress = self->vcpu->mailbox->progress;
	EXPECT_LT(0, progress);
	self->vcpu->mailbox->stop = 1;
	EXPECT_EQ(TD_STOP_DOORBELL, td_vcpu_run(self->vcpu));
	EXPECT_LE(progress, self->result[0]);
}

FIXTURE(smp)
{
	struct td td;
	struct td_config config;
};

FIXTURE_VARIANT(smp)
{
	unsigned int nr_vcpus;
	unsigned int gpaw;
};

FIXTURE_VARIANT_ADD(smp, 1) { .nr_vcpus = 1, .gpaw = 48 };
FIXTURE_VARIANT_ADD(smp, 2) { .nr_vcpus = 2, .gpaw = 48 };
FIXTURE_VARIANT_ADD(smp, 3) { .nr_vcpus = 3, .gpaw = 48 };
FIXTURE_VARIANT_ADD(smp, 4) { .nr_vcpus = 4, .gpaw = 48 };
FIXTURE_VARIANT_ADD(smp, 1_gpaw52) { .nr_vcpus = 1, .gpaw = 52 };

FIXTURE_SETUP(smp)
{
	const char *why = kvm_tdx_unsupported();
	int max;

	if (why)
		SKIP(return, "%s", why);
	td_default_config(&self->config);
	self->config.nr_vcpus = variant->nr_vcpus;
	self->config.gpaw = variant->gpaw;
	ASSERT_EQ(0, td_build(&self->td, &self->config, TD_CREATED));
	max = kvm_ioctl(self->td.vm_fd, KVM_CHECK_EXTENSION, KVM_CAP_MAX_VCPUS);
	td_destroy(&self->td);
	if (max < (int)variant->nr_vcpus)
		SKIP(return, "a TD has up to %d vCPUs here", max);
	if (td_build(&self->td, &self->config, TD_INITIALIZED) && variant->gpaw == 52)
		SKIP(return, "GPAs of 52 bits need 5-level EPT");
	td_destroy(&self->td);
	ASSERT_EQ(0, td_build(&self->td, &self->config, TD_FINALIZED));
	ASSERT_EQ(0, td_start(&self->td));
}

FIXTURE_TEARDOWN(smp)
{
	td_destroy(&self->td);
}

static int introduce(struct td_vcpu *vcpu, void *arg)
{
	u64 *result = vcpu->mailbox->result;
	struct td_config *config = arg;
	char text[32];
	int ret = td_do(vcpu, TD_CMD_INFO);

	if (ret)
		return ret;
	if (result[0] != config->gpaw || (u32)result[2] != config->nr_vcpus ||
	    result[3] != vcpu->id)
		return error(-EIO, "vCPU %u of %u thinks that it is %lu of %u", vcpu->id,
			     config->nr_vcpus, result[3], (u32)result[2]);
	snprintf(text, sizeof(text), "vCPU %u says hello\n", vcpu->id);
	ret = td_print(vcpu, text);
	if (!ret && strcmp(text, vcpu->console))
		ret = error(-EIO, "vCPU %u printed '%s'", vcpu->id, vcpu->console);
	return ret;
}

static int end(struct td_vcpu *vcpu, void *arg)
{
	return td_end(vcpu, vcpu->id, arg);
}

TEST_F(smp, all_vcpus_run)
{
	ASSERT_EQ(0, td_on_each_vcpu(&self->td, introduce, &self->config));
	EXPECT_EQ(0, td_on_each_vcpu(&self->td, end, "done"));
}

/* vCPU 0 halts; each of the others sends interrupts until it woke up. */
static int ipi(struct td_vcpu *vcpu, void *arg)
{
	bool *awake = arg;
	int ret = 0;

	if (vcpu->id == 0) {
		ret = td_do(vcpu, TD_CMD_HALT);
		__atomic_store_n(awake, true, __ATOMIC_RELEASE);
		return ret;
	}
	while (!ret && !__atomic_load_n(awake, __ATOMIC_ACQUIRE)) {
		ret = td_do(vcpu, TD_CMD_WRMSR, MSR_X2APIC_ICR, TD_WAKE_VECTOR);
		usleep(10000);
	}
	return ret;
}

TEST_F(smp, interrupts_between_vcpus)
{
	bool awake = false;

	if (variant->nr_vcpus == 1)
		SKIP(return, "one vCPU has nobody to interrupt");
	EXPECT_EQ(0, td_on_each_vcpu(&self->td, ipi, &awake));
	EXPECT_LE(1, self->td.vcpus[0].mailbox->result[0]);
}

TEST_HARNESS_MAIN
