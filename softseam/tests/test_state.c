// SPDX-License-Identifier: GPL-2.0-only
/* That the comparison of state sees each change: what it cannot see it cannot find. */
#include <string.h>

#include "feature_host.h"
#include "guest_host.h"
#include "plain.h"
#include "state.h"

struct change {
	const char *what;
	/* Changes something; called a second time, changes it back. */
	void (*flip)(struct host *h);
};

#define FLIP(name, place)	static void name(struct host *h) { (place) ^= 1; }

FLIP(sys_state, h->seam->sys_state)
FLIP(sys_lock, h->seam->sys_lock.holders)
FLIP(disable_pending, *(uint8_t *)&h->seam->disable_pending)
FLIP(lp, *(uint8_t *)&h->seam->lp[3].caches_clean)
FLIP(tdmr, h->seam->tdmr[2].next)
FLIP(keyid, h->seam->kot.state[60])
FLIP(keyid_packages, h->seam->kot.wb_packages[60])
FLIP(key, h->seam->ket.global_key)
FLIP(cache_wb, *(uint8_t *)&h->seam->cache_wb[1].hkid[40])
FLIP(pool, h->seam->ext.pool_has)
FLIP(connect, h->seam->connect.last_id)
FLIP(connect_lock, h->seam->connect.lock.holders)
FLIP(pairs, h->seam->pamt.pairs)
FLIP(page_type, host_page(h, 6 * GB - SZ_4K)->type)
FLIP(page_lock, host_page(h, FREE_PAGE)->lock.holders)
FLIP(page_owner, host_page(h, REG_PAGE)->owner_lo)
FLIP(page_epoch, host_page(h, REG_PAGE)->bepoch)
FLIP(region, pamt_entry(&h->seam->pamt, 2 * GB, PS_2M)->type)
FLIP(block, pamt_entry(&h->seam->pamt, 2 * GB, PS_1G)->lock.holders)
FLIP(used, *pamt_used(&h->seam->pamt, 2 * GB))
FLIP(bitmap, h->seam->pamt.bitmap[12345])
FLIP(pages_owned, h->seam->own.pages)
FLIP(info, own_info(h->seam, 3 * GB - SZ_4K)->flags)
FLIP(lines_waiting, h->seam->lines.waiting)
FLIP(lines_flushed, h->seam->lines.page[(6 * GB - 1) / SZ_4K].flushed)
FLIP(lines_reset, h->seam->lines.page[777].reset)
FLIP(contents, ((uint8_t *)plain_at(h->seam, REG_PAGE))[4095])
FLIP(contents_elsewhere, ((uint8_t *)plain_at(h->seam, 5 * GB + 12345 * SZ_4K))[7])
FLIP(memory, *host_mem(h, 6 * GB - 1))
FLIP(memory_of_td, *host_mem(h, TDR + 100))
FLIP(list, host_list(h, LIST2)[511])
FLIP(lifecycle, *(_Atomic unsigned int *)&host_td(h)->lifecycle)
FLIP(children, host_td(h)->children)
FLIP(op_lock, host_td(h)->op_state_lock.holders)
FLIP(attributes, host_td(h)->params.attributes)
FLIP(cpuid, *(uint32_t *)host_td(h)->cpuid)
FLIP(epoch, host_td(h)->epoch.epoch)
FLIP(inside, host_td(h)->epoch.refcount[1])
FLIP(mrtd, ((uint8_t *)&host_td(h)->mrtd_ctx)[0])
FLIP(rtmr, host_td(h)->rtmr[3][47])
FLIP(tree_lock, host_td(h)->sept.lock.holders)
FLIP(td_ctls, host_td(h)->td_ctls)
FLIP(entry, host_entry(h, GPA_REG, 0)->word)
FLIP(entry_lock, host_entry(h, GPA_FREE, 0)->lock.holders)
FLIP(upper_entry, host_entry(h, 0, 3)->word)
FLIP(vcpu_state, *(_Atomic unsigned int *)&host_vcpu(h)->state)
FLIP(vcpu_lp, host_vcpu(h)->lp)
FLIP(vmcs, host_vcpu(h)->vmcs.shared_eptp)
FLIP(guest_register, guest_vcpu(h)->run.cpu.gpr.r15)
FLIP(guest_apic, guest_vcpu(h)->apic.irr[7])
FLIP(guest_ve, guest_vcpu(h)->ve.gpa)

#define CHANGE(name)	{ #name, name }

static const struct change changes[] = {
	CHANGE(sys_state), CHANGE(sys_lock), CHANGE(disable_pending), CHANGE(lp), CHANGE(tdmr),
	CHANGE(keyid), CHANGE(keyid_packages), CHANGE(key), CHANGE(cache_wb), CHANGE(pool),
	CHANGE(connect), CHANGE(connect_lock), CHANGE(pairs), CHANGE(page_type),
	CHANGE(page_lock), CHANGE(page_owner), CHANGE(page_epoch), CHANGE(region), CHANGE(block),
	CHANGE(used), CHANGE(bitmap), CHANGE(pages_owned), CHANGE(info), CHANGE(lines_waiting),
	CHANGE(lines_flushed), CHANGE(lines_reset), CHANGE(contents), CHANGE(contents_elsewhere),
	CHANGE(memory), CHANGE(memory_of_td), CHANGE(list), CHANGE(lifecycle), CHANGE(children),
	CHANGE(op_lock), CHANGE(attributes), CHANGE(cpuid), CHANGE(epoch), CHANGE(inside),
	CHANGE(mrtd), CHANGE(rtmr), CHANGE(tree_lock), CHANGE(td_ctls), CHANGE(entry),
	CHANGE(entry_lock), CHANGE(upper_entry), CHANGE(vcpu_state), CHANGE(vcpu_lp),
	CHANGE(vmcs), CHANGE(guest_register), CHANGE(guest_apic), CHANGE(guest_ve),
};

static void changes_are_seen(void **state)
{
	struct host *h = *state;
	uint64_t before;

	guest_host_start(h);
	guest_goto(h);
	guest_enter(h);
	guest_leave_quietly(h);
	/* Looking changes nothing. */
	before = host_state(h);
	assert_int_equal(host_state(h), before);
	for (size_t i = 0; i < ARRAY_SIZE(changes); i++) {
		print_message("# %s\n", changes[i].what);
		changes[i].flip(h);
		assert_int_not_equal(host_state(h), before);
		changes[i].flip(h);
		assert_int_equal(host_state(h), before);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		host_test(changes_are_seen),
	};

	return cmocka_run_group_tests_name("state", tests, NULL, NULL);
}
