// SPDX-License-Identifier: GPL-2.0
/*
 * Mistakes of user space that make KVM warn, and mark the VM as bugged, instead
 * of only refusing.  Not among the tests that run by default: a host with
 * panic_on_warn does not survive them.
 */
#include "lib/test.h"

#define TD_NO_VCPUS		0xc0000609U

FIXTURE(warn)
{
	struct td_config config;
	struct td td;
};

FIXTURE_SETUP(warn)
{
	const char *why = kvm_tdx_unsupported();

	if (why)
		SKIP(return, "%s", why);
	td_default_config(&self->config);
	ASSERT_EQ(0, td_build(&self->td, &self->config, TD_HAS_SLOTS));
}

FIXTURE_TEARDOWN(warn)
{
	td_destroy(&self->td);
}

TEST_F(warn, finalize_without_vcpus)
{
	u64 hw_error;

	EXPECT_EQ(-EIO, kvm_tdx_cmd(self->td.vm_fd, KVM_TDX_FINALIZE_VM, 0, 0, &hw_error));
	EXPECT_EQ(TD_NO_VCPUS, hw_error >> 32);
}

/* KVM reads the guest's RIP for its message about the exit that it did not expect. */
TEST_F(warn, run_after_shutdown)
{
	struct td_vcpu *vcpu = &self->td.vcpus[0];

	td_destroy(&self->td);
	ASSERT_EQ(0, td_build(&self->td, &self->config, TD_FINALIZED));
	ASSERT_EQ(0, td_start(&self->td));
	ASSERT_EQ(TD_STOP_SHUTDOWN, td_call(vcpu, TD_CMD_TRIPLE_FAULT));
	EXPECT_EQ(TD_STOP_ERROR, td_vcpu_run(vcpu));
	EXPECT_EQ(KVM_EXIT_INTERNAL_ERROR, vcpu->run->exit_reason);
}

TEST_HARNESS_MAIN
