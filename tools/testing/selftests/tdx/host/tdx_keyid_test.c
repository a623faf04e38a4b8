// SPDX-License-Identifier: GPL-2.0
/* KeyIDs: each TD takes one, the misc cgroup controller counts, none gets lost. */
#include "lib/cgroup.h"
#include "lib/test.h"

/* No machine has that many. */
#define MAX_TDS			4096

struct crowd {
	struct td_config config;
	struct td *tds;
	unsigned int nr_tds;
};

FIXTURE(keyids)
{
	struct crowd crowd;
};

FIXTURE_SETUP(keyids)
{
	const char *why = kvm_tdx_unsupported();

	if (why)
		SKIP(return, "%s", why);
	td_default_config(&self->crowd.config);
	self->crowd.tds = calloc(MAX_TDS, sizeof(struct td));
	ASSERT_NE(NULL, self->crowd.tds);
}

static void destroy_all(struct crowd *crowd)
{
	while (crowd->nr_tds)
		td_destroy(&crowd->tds[--crowd->nr_tds]);
}

FIXTURE_TEARDOWN(keyids)
{
	destroy_all(&self->crowd);
	free(self->crowd.tds);
}

/* Create TDs until that fails; returns the error. */
static int create_all(struct crowd *crowd)
{
	int ret = 0;

	while (!ret && crowd->nr_tds < MAX_TDS) {
		struct td *td = &crowd->tds[crowd->nr_tds];

		ret = td_build(td, &crowd->config, TD_INITIALIZED);
		if (ret)
			td_destroy(td);
		else
			crowd->nr_tds++;
	}
	return ret;
}

/* A machine can run out of KeyIDs; those of destroyed TDs are free again. */
TEST_F(keyids, all_in_use)
{
	long capacity = cgroup_tdx_capacity();
	unsigned int first;

	EXPECT_EQ(-ENOSPC, create_all(&self->crowd));
	first = self->crowd.nr_tds;
	EXPECT_LT(0, first);
	if (capacity >= 0)
		EXPECT_GE(capacity, first);
	destroy_all(&self->crowd);

	EXPECT_EQ(-ENOSPC, create_all(&self->crowd));
	EXPECT_EQ(first, self->crowd.nr_tds);
}

FIXTURE(accounting)
{
	struct td_config config;
	struct cgroup cg;
};

FIXTURE_SETUP(accounting)
{
	const char *why = kvm_tdx_unsupported();

	if (!why)
		why = cgroup_enter(&self->cg);
	if (why)
		SKIP(return, "%s", why);
	td_default_config(&self->config);
}

FIXTURE_TEARDOWN(accounting)
{
	EXPECT_EQ(0, cgroup_leave(&self->cg));
}

TEST_F(accounting, one_per_td)
{
	struct td tds[3];

	EXPECT_LT(0, cgroup_tdx_capacity());
	EXPECT_EQ(0, cgroup_tdx_current(&self->cg));
	for (int i = 0; i < 3; i++) {
		ASSERT_EQ(0, td_build(&tds[i], &self->config, TD_INITIALIZED));
		EXPECT_EQ(i + 1, cgroup_tdx_current(&self->cg));
	}
	for (int i = 0; i < 3; i++) {
		td_destroy(&tds[i]);
		EXPECT_EQ(2 - i, cgroup_tdx_current(&self->cg));
	}
}

/* A VM that never became a TD, or could not, has no KeyID. */
TEST_F(accounting, none_without_init_vm)
{
	struct td td;

	ASSERT_EQ(0, td_build(&td, &self->config, TD_CREATED));
	EXPECT_EQ(0, cgroup_tdx_current(&self->cg));
	ASSERT_EQ(0, kvm_ioctl(td.vm_fd, KVM_SET_TSC_KHZ, 75000));
	EXPECT_EQ(-EINVAL, td_init_vm(&td));
	EXPECT_EQ(0, cgroup_tdx_current(&self->cg));
	td_destroy(&td);
}

TEST_F(accounting, limit)
{
	struct td first, second;

	ASSERT_EQ(0, cgroup_tdx_limit(&self->cg, 1));
	ASSERT_EQ(0, td_build(&first, &self->config, TD_INITIALIZED));
	EXPECT_EQ(-EBUSY, td_build(&second, &self->config, TD_INITIALIZED));
	EXPECT_EQ(1, cgroup_tdx_current(&self->cg))
		TH_LOG("a refused TD changed what is accounted");
	td_destroy(&first);

	EXPECT_EQ(0, td_init_vm(&second));
	EXPECT_EQ(1, cgroup_tdx_current(&self->cg));
	td_destroy(&second);
	EXPECT_EQ(0, cgroup_tdx_current(&self->cg));
}

TEST_HARNESS_MAIN
