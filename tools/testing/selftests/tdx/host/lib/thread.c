// SPDX-License-Identifier: GPL-2.0
/* vCPUs in threads of their own. */
#include <errno.h>
#include <string.h>
#include "fail_nth.h"
#include "kvm_tdx.h"
#include "td.h"

struct job {
	struct td_vcpu *vcpu;
	int (*fn)(struct td_vcpu *vcpu, void *arg);
	void *arg;
	unsigned int allocations;
	int ret;
	char why[ERROR_SIZE];
};

/* vCPU 0 first: the others wait for it inside the guest. */
int td_start(struct td *td)
{
	for (unsigned int i = 0; i < td->nr_vcpus; i++) {
		enum td_stop stop = td_vcpu_run(&td->vcpus[i]);

		if (stop == TD_STOP_ERROR)
			return td->vcpus[i].error;
		if (stop != TD_STOP_DOORBELL)
			return error(-EIO, "vCPU %u did not start: %s", i, td_stop_name(stop));
	}
	return 0;
}

static void *run_job(void *arg)
{
	struct job *job = arg;
	const struct td_config *config = &job->vcpu->td->config;

	job->ret = fail_nth(config->vcpu_fail_nth);
	if (!job->ret)
		job->ret = job->fn(job->vcpu, job->arg);
	job->allocations = fail_nth_count(config->vcpu_fail_nth);
	memcpy(job->why, last_error(), sizeof(job->why));
	return NULL;
}

static void note_allocations(const struct td *td, unsigned int allocations)
{
	unsigned int *most = td->config.vcpu_allocations;

	if (most && *most < allocations)
		*most = allocations;
}

int td_on_each_vcpu(struct td *td, int (*fn)(struct td_vcpu *vcpu, void *arg), void *arg)
{
	struct job jobs[TD_MAX_VCPUS];
	unsigned int started;
	int ret = 0;

	for (started = 0; started < td->nr_vcpus; started++) {
		struct td_vcpu *vcpu = &td->vcpus[started];

		jobs[started] = (struct job){ .vcpu = vcpu, .fn = fn, .arg = arg };
		ret = -pthread_create(&vcpu->thread, NULL, run_job, &jobs[started]);
		if (ret) {
			error(ret, "cannot start a thread: %s", strerror(-ret));
			break;
		}
	}
	for (unsigned int i = 0; i < started; i++) {
		pthread_join(td->vcpus[i].thread, NULL);
		note_allocations(td, jobs[i].allocations);
		if (ret || !jobs[i].ret)
			continue;
		ret = jobs[i].ret;
		set_last_error(jobs[i].why);
	}
	return ret;
}
