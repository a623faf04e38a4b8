// SPDX-License-Identifier: GPL-2.0
#include "kselftest.h"
#include "../lib/command.h"
#include "../lib/kvm_tdx.h"
#include "stress.h"

#define RAM			(16 * TD_MB)
#define WORD			8

/* One in so many conversions is larger than KVM hands on at once. */
#define LARGE_ONE_IN		16
#define LARGE_PAGES		700
#define SMALL_PAGES		32

static u64 random_size(struct stress *stress)
{
	u64 max = stress_random(stress) % LARGE_ONE_IN ? SMALL_PAGES : LARGE_PAGES;

	return (1 + stress_random(stress) % max) * TD_PAGE_SIZE;
}

/* Data goes both ways while it is shared; what was private stays unseen. */
static int there_and_back(struct td_vcpu *vcpu, u64 gpa, u64 size, u64 seed)
{
	struct td *td = vcpu->td;
	int ret;

	ret = td_fill(vcpu, gpa, size, TD_PAGE_SIZE, seed, false);
	if (!ret)
		ret = td_map_gpa(vcpu, gpa, size, TD_SHARE);
	if (!ret)
		ret = td_host_check(td, gpa, size, WORD, 0);
	if (!ret)
		ret = td_fill(vcpu, gpa, size, TD_PAGE_SIZE, seed + 1, true);
	if (!ret)
		ret = td_host_check(td, gpa, size, TD_PAGE_SIZE, seed + 1);
	if (!ret)
		ret = td_host_fill(td, gpa, size, TD_PAGE_SIZE, seed + 2);
	if (!ret)
		ret = td_check(vcpu, gpa, size, TD_PAGE_SIZE, seed + 2, true);
	if (!ret)
		ret = td_map_gpa(vcpu, gpa, size, TD_UNSHARE);
	if (!ret)
		ret = td_accept(vcpu, gpa, size);
	return ret ? ret : td_check(vcpu, gpa, size, TD_PAGE_SIZE, 0, false);
}

/* A page that is never converted must never change. */
#define WITNESS			TD_FREE_GPA
#define FIRST			(TD_FREE_GPA + TD_PAGE_SIZE)

static int convert_many(struct stress *stress, struct td_vcpu *vcpu)
{
	u64 witness = stress_random(stress) | 1;
	u64 pages = 0;
	int ret;

	ret = td_accept(vcpu, WITNESS, RAM - WITNESS);
	if (!ret)
		ret = td_fill(vcpu, WITNESS, TD_PAGE_SIZE, WORD, witness, false);
	for (unsigned int i = 0; !ret && i < stress->conversions; i++) {
		u64 size = random_size(stress);
		u64 room = (RAM - FIRST - size) / TD_PAGE_SIZE;
		u64 gpa = FIRST + stress_random(stress) % room * TD_PAGE_SIZE;

		ret = there_and_back(vcpu, gpa, size, stress_random(stress) | 1);
		if (ret)
			error(ret, "in conversion %u: %lu bytes at 0x%lx", i, size, gpa);
		pages += size / TD_PAGE_SIZE;
	}
	if (!ret)
		ret = td_check(vcpu, WITNESS, TD_PAGE_SIZE, WORD, witness, false);
	ksft_print_msg("%u conversions and back, %lu pages\n", stress->conversions, pages);
	return ret;
}

int stress_convert(struct stress *stress)
{
	struct td_config config;
	struct td td;
	int ret;

	td_default_config(&config);
	config.ram_size = RAM;
	ret = td_build(&td, &config, TD_FINALIZED);
	if (!ret)
		ret = td_start(&td);
	if (!ret)
		ret = convert_many(stress, &td.vcpus[0]);
	if (!ret)
		ret = td_end(&td.vcpus[0], 0, "converted");
	td_destroy(&td);
	return ret;
}
