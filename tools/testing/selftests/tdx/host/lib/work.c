// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "command.h"
#include "kvm_tdx.h"
#include "work.h"

#define WORD			8
/* Two RTMRs that a guest's software may extend as it likes. */
#define FIRST_RTMR		2
#define LAST_RTMR		3

static const char last_words[] = "done";

struct job {
	const struct td_work *work;
	struct td_outcome *outcome;
};

void td_default_work(const struct td *td, struct td_work *work)
{
	*work = (struct td_work){
		.accept_size = td->config.ram_size - TD_FREE_GPA,
		.convert_size = 16 * TD_PAGE_SIZE,
		.seed = 1,
	};
}

/* Even parts of whole pages; what cannot be divided is left alone. */
static void part_of(const struct td_vcpu *vcpu, const struct td_work *work, u64 *gpa, u64 *size)
{
	*size = work->accept_size / vcpu->td->nr_vcpus & -TD_PAGE_SIZE;
	*gpa = TD_FREE_GPA + vcpu->id * *size;
}

static int greet(struct td_vcpu *vcpu)
{
	char text[64];

	snprintf(text, sizeof(text), "hello from vCPU %u of %u\n", vcpu->id, vcpu->td->nr_vcpus);
	return td_print(vcpu, text);
}

/* Share the memory, exchange data with the host, and take it back. */
static int convert(struct td_vcpu *vcpu, u64 gpa, u64 size, u64 seed)
{
	int ret = td_map_gpa(vcpu, gpa, size, TD_SHARE);

	if (!ret)
		ret = td_fill(vcpu, gpa, size, WORD, seed, true);
	if (!ret)
		ret = td_host_check(vcpu->td, gpa, size, WORD, seed);
	if (!ret)
		ret = td_map_gpa(vcpu, gpa, size, TD_UNSHARE);
	if (!ret)
		ret = td_accept(vcpu, gpa, size);
	return ret ? ret : td_check(vcpu, gpa, size, WORD, 0, false);
}

static int work_memory(struct td_vcpu *vcpu, void *arg)
{
	struct job *job = arg;
	u64 gpa, size, convert_size = job->work->convert_size;
	int ret = greet(vcpu);

	part_of(vcpu, job->work, &gpa, &size);
	if (convert_size > size)
		convert_size = size;
	if (!ret)
		ret = td_accept(vcpu, gpa, size);
	if (!ret && convert_size)
		ret = convert(vcpu, gpa, convert_size, job->work->seed);
	if (!ret)
		ret = td_fill(vcpu, gpa, size, TD_PAGE_SIZE, job->work->seed + vcpu->id, false);
	if (ret)
		return ret;

	__atomic_fetch_add(&job->outcome->accepted_pages, size / TD_PAGE_SIZE, __ATOMIC_RELAXED);
	__atomic_fetch_add(&job->outcome->converted_pages, convert_size / TD_PAGE_SIZE,
			   __ATOMIC_RELAXED);
	return 0;
}

int td_work_memory(struct td *td, const struct td_work *work, struct td_outcome *outcome)
{
	struct job job = { work, outcome };

	return td_on_each_vcpu(td, work_memory, &job);
}

static int recheck(struct td_vcpu *vcpu, void *arg)
{
	const struct td_work *work = arg;
	u64 gpa, size;

	part_of(vcpu, work, &gpa, &size);
	return td_check(vcpu, gpa, size, TD_PAGE_SIZE, work->seed + vcpu->id, false);
}

int td_work_recheck(struct td *td, const struct td_work *work)
{
	return td_on_each_vcpu(td, recheck, (void *)work);
}

int td_work_report(struct td *td, struct td_outcome *outcome)
{
	u8 want[4][SHA384_SIZE] = { 0 }, data[TDREPORT_DATA_SIZE] = { 0 };
	struct td_vcpu *vcpu = &td->vcpus[0];
	struct tdreport report;
	int ret = 0;

	for (unsigned int i = FIRST_RTMR; !ret && i <= LAST_RTMR; i++) {
		memset(data, i, sizeof(data));
		ret = td_rtmr_extend(vcpu, i, data);
		rtmr_extend(want[i], data);
	}
	if (!ret)
		ret = td_report(vcpu, data, &report);
	if (ret)
		return ret;

	outcome->mrtd_matches = !memcmp(td->mrtd, report.td_info.mrtd, SHA384_SIZE);
	outcome->rtmr_matches = !memcmp(want, report.td_info.rtmr, sizeof(want));
	if (!outcome->mrtd_matches)
		return error(-EILSEQ, "the guest's MRTD is not that of what was added");
	if (!outcome->rtmr_matches)
		return error(-EILSEQ, "the guest's RTMRs are not what was extended");
	return 0;
}

static int end_vcpu(struct td_vcpu *vcpu, void *arg)
{
	(void)arg;
	return td_end(vcpu, 0, last_words);
}

int td_work_end(struct td *td)
{
	return td_on_each_vcpu(td, end_vcpu, NULL);
}

int td_work(struct td *td, const struct td_work *work, struct td_outcome *outcome)
{
	int ret = td_start(td);

	memset(outcome, 0, sizeof(*outcome));
	if (!ret)
		ret = td_work_memory(td, work, outcome);
	if (!ret)
		ret = td_work_recheck(td, work);
	if (!ret)
		ret = td_work_report(td, outcome);
	return ret ? ret : td_work_end(td);
}
