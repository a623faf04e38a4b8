// SPDX-License-Identifier: GPL-2.0-only
/* TDH.EXT.MEM.ADD and TDH.EXT.INIT */
#include "ext.h"
#include "leaves.h"
#include "own.h"
#include "page_list.h"

/* EXT.INIT is done in this many steps. */
#define INIT_STEPS	8

#define ADD_ONS		(FEATURE_TDXCONNECT | FEATURE_QUOTE)

bool ext_offers(const struct seam *s, uint64_t features)
{
	return !(features & ~(s->cfg.features0 & (ADD_ONS | FEATURE_EXT)));
}

/* The bit of the Extensions themselves says nothing: they come with any add-on. */
void ext_configure(struct seam *s, uint64_t features)
{
	s->ext.features = features & ADD_ONS;
	s->ext.required = s->ext.features && s->cfg.ext_required;
	atomic_store(&s->ext.pool_lacks, s->ext.features ? s->cfg.ext_pool_pages : 0);
}

/* A new command starts at slot 0, another goes on where it was interrupted. */
static uint64_t check_start(const struct ext *ext, uint64_t rcx, const struct hpa_list *list)
{
	if (!list->first || rcx == ext->resume)
		return TDX_SUCCESS;
	return ext->resume ? TDX_INVALID_RESUMPTION : TDX_OPERAND_INVALID | OPERAND_RCX;
}

static uint64_t add_page(struct seam *s, struct call *c, uint64_t pa)
{
	struct pamt_walk page;
	uint64_t status = own_check_free(s, c, pa, PS_4K, OPERAND_RCX, &page);

	if (status)
		return status;
	own_take(s, c, &page, pa, PT_EXT, NULL, (struct page_info){ 0 });
	pamt_unwalk(&page);
	atomic_fetch_sub(&s->ext.pool_lacks, 1);
	atomic_fetch_add(&s->ext.pool_has, 1);
	return TDX_SUCCESS;
}

/* Interrupts are looked for between pages.  @list tells what is left. */
static uint64_t add_pages(struct seam *s, struct call *c, struct hpa_list *list)
{
	for (unsigned int done = 1;; done++) {
		uint64_t status;

		if (!atomic_load(&s->ext.pool_lacks))
			return TDX_EXT_MEMORY_POOL_FULL;
		status = add_page(s, c, page_list_slot(s, list->root, list->first));
		if (status)
			return status;
		if (list->first++ == list->last)
			return TDX_SUCCESS;
		if (call_interrupted(s, c, done))
			return TDX_INTERRUPTED_RESUMABLE;
	}
}

static uint64_t mem_add(struct seam *s, struct call *c)
{
	struct hpa_list list;
	uint64_t status;

	if (!hpa_list_info_decode(c->in.rcx, &list))
		return TDX_OPERAND_INVALID | OPERAND_RCX;
	status = check_start(&s->ext, c->in.rcx, &list);
	if (!status)
		status = page_list_check_root(s, c, list.root, OPERAND_RCX);
	if (status)
		return status;

	status = add_pages(s, c, &list);
	c->out.rcx = hpa_list_info_encode(&list);
	s->ext.resume = status & TDX_STATUS_ERROR && list.first ? c->out.rcx : 0;
	return status;
}

/*
 * Pages become the memory of the Extensions.
 *
 * In:  RCX	HPA_LIST_INFO
 * Out: RCX	the same, with what is left
 */
uint64_t tdh_ext_mem_add(struct seam *s, struct call *c)
{
	uint64_t status;

	c->out.rcx = c->in.rcx;
	if (!lock_try_exclusive(&s->ext.lock))
		return TDX_SYS_BUSY;
	status = mem_add(s, c);
	lock_release(&s->ext.lock, LOCK_EXCLUSIVE);
	return status;
}

static uint64_t init(struct seam *s, struct call *c)
{
	struct ext *ext = &s->ext;

	if (atomic_load(&ext->ready))
		return TDX_SYS_INIT_NOT_PENDING;
	if (atomic_load(&ext->pool_lacks))
		return TDX_SYS_NOT_READY;

	for (unsigned int done = 1; ++ext->init_steps < INIT_STEPS; done++) {
		if (call_interrupted(s, c, done))
			return TDX_INTERRUPTED_RESUMABLE;
	}
	atomic_store(&ext->ready, true);
	return TDX_SUCCESS;
}

/* The Extensions start, once they have their memory. */
uint64_t tdh_ext_init(struct seam *s, struct call *c)
{
	uint64_t status;

	if (!lock_try_exclusive(&s->ext.lock))
		return TDX_SYS_BUSY;
	status = init(s, c);
	lock_release(&s->ext.lock, LOCK_EXCLUSIVE);
	return status;
}
