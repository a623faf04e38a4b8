// SPDX-License-Identifier: GPL-2.0-only
/* Objects of TDX Connect and their pages. */
#include <stdlib.h>
#include <string.h>

#include "connect.h"
#include "leaves.h"
#include "own.h"
#include "range.h"

static const enum page_type page_types[NR_CONNECT_KINDS] = {
	[CONNECT_IOMMU]	= PT_IOMMU_MT,
	[CONNECT_SPDM]	= PT_SPDM_MT,
	[CONNECT_IDE]	= PT_IDE_MT,
};

uint64_t connect_enter(struct seam *s)
{
	if (!(s->ext.features & FEATURE_TDXCONNECT))
		return TDX_OPERAND_INVALID | OPERAND_RAX;
	return lock_try_exclusive(&s->connect.lock) ? TDX_SUCCESS :
	       TDX_OPERAND_BUSY | OPERAND_RCX;
}

void connect_leave(struct seam *s)
{
	lock_release(&s->connect.lock, LOCK_EXCLUSIVE);
}

static bool same_operands(const struct call *c, const struct connect *obj)
{
	for (unsigned int i = 0; i < LEAF_MAX_REGS && c->leaf->in[i].name; i++) {
		if (leaf_reg_value(&c->in, &c->leaf->in[i]) !=
		    leaf_reg_value(&obj->in, &c->leaf->in[i]))
			return false;
	}
	return true;
}

/* What the host calls the object in a call that is to be made again. */
static uint64_t name_of(const struct connect *obj)
{
	return obj->state == CONNECT_DELETING ? obj->id : obj->key;
}

static bool has_operand(const struct connect *obj, uint64_t value)
{
	for (unsigned int i = 0; i < LEAF_MAX_REGS && obj->leaf->in[i].name; i++) {
		if (leaf_reg_value(&obj->in, &obj->leaf->in[i]) == value)
			return true;
	}
	return false;
}

uint64_t connect_resumed(struct seam *s, const struct call *c, uint64_t name, uint64_t list,
			 struct connect **obj)
{
	*obj = NULL;
	for (struct connect *o = s->connect.objects; o; o = o->next) {
		if (o->state == CONNECT_LIVE || o->leaf != c->leaf)
			continue;
		if (name_of(o) != name && !(list && has_operand(o, list)))
			continue;
		if (!same_operands(c, o))
			return TDX_INVALID_RESUMPTION;
		*obj = o;
		return TDX_SUCCESS;
	}
	return TDX_SUCCESS;
}

struct connect *connect_by_id(struct seam *s, enum connect_kind kind, uint64_t id)
{
	struct connect *o;

	for (o = s->connect.objects; o; o = o->next) {
		if (o->kind == kind && o->state == CONNECT_LIVE && o->id == id)
			break;
	}
	return o;
}

struct connect *connect_by_key(struct seam *s, enum connect_kind kind, uint64_t key)
{
	struct connect *o;

	for (o = s->connect.objects; o; o = o->next) {
		if (o->kind == kind && o->key == key)
			break;
	}
	return o;
}

static uint64_t take_page(struct seam *s, struct call *c, struct connect *obj, uint64_t pa,
			  uint32_t op)
{
	struct pamt_walk page;
	uint64_t status = own_check_free(s, c, pa, PS_4K, op, &page);

	if (status)
		return status;
	own_take(s, c, &page, pa, page_types[obj->kind], NULL, (struct page_info){ 0 });
	pamt_unwalk(&page);
	obj->taken++;
	return TDX_SUCCESS;
}

/* The last of the pages that the module has. */
static uint64_t give_page_back(struct seam *s, struct call *c, struct connect *obj)
{
	uint64_t pa = obj->pages.pa[obj->taken - 1];
	struct pamt_entry *entry = pamt_entry(&s->pamt, pa, PS_4K);

	if (!lock_try_exclusive(&entry->lock))
		return TDX_OPERAND_BUSY | OPERAND_RCX;
	own_give_back(s, c, entry, pa, PS_4K, NULL);
	lock_release(&entry->lock, LOCK_EXCLUSIVE);
	obj->taken--;
	return TDX_SUCCESS;
}

/* So that most errors are found before any page is taken. */
static uint64_t check_pages(struct seam *s, struct call *c, const struct page_list *pages,
			    uint32_t op)
{
	uint64_t status = TDX_SUCCESS;

	for (unsigned int i = 0; !status && i < pages->nr; i++) {
		struct pamt_walk page;

		status = own_check_free(s, c, pages->pa[i], PS_4K, op, &page);
		if (!status)
			pamt_unwalk(&page);
	}
	return status;
}

uint64_t connect_new(struct seam *s, struct call *c, enum connect_kind kind, uint64_t key,
		     const struct page_list *pages, uint32_t op, struct connect **obj)
{
	uint64_t status = check_pages(s, c, pages, op);
	struct connect *o;

	if (status)
		return status;
	o = calloc(1, sizeof(*o));
	if (!o)
		return TDX_OPERAND_BUSY | OPERAND_RCX;

	o->kind = kind;
	o->state = CONNECT_CREATING;
	o->key = key;
	o->pages = *pages;
	o->leaf = c->leaf;
	o->in = c->in;
	o->next = s->connect.objects;
	s->connect.objects = o;
	*obj = o;
	return TDX_SUCCESS;
}

static bool can_be_repeated(uint64_t status)
{
	return status == TDX_INTERRUPTED_RESUMABLE ||
	       (status & TDX_STATUS_MASK) == TDX_OPERAND_BUSY;
}

static uint64_t take_pages(struct seam *s, struct call *c, struct connect *obj, uint32_t op)
{
	for (unsigned int steps = 1;; steps++) {
		uint64_t status = take_page(s, c, obj, obj->pages.pa[obj->taken], op);

		if (status || obj->taken == obj->pages.nr)
			return status;
		if (call_interrupted(s, c, steps))
			return TDX_INTERRUPTED_RESUMABLE;
	}
}

/* Nobody else knows these pages, so their locks are at most held for a moment. */
static void undo(struct seam *s, struct call *c, struct connect *obj)
{
	while (obj->taken)
		give_page_back(s, c, obj);
	connect_free(s, obj);
}

uint64_t connect_create(struct seam *s, struct call *c, struct connect *obj, uint32_t op)
{
	uint64_t status = take_pages(s, c, obj, op);

	if (!status) {
		obj->state = CONNECT_LIVE;
		obj->id = ++s->connect.last_id;
		atomic_fetch_add(&s->connect.nr[obj->kind], 1);
	} else if (!can_be_repeated(status)) {
		undo(s, c, obj);
	}
	return status;
}

void connect_start_deletion(struct call *c, struct connect *obj)
{
	obj->state = CONNECT_DELETING;
	obj->leaf = c->leaf;
	obj->in = c->in;
}

uint64_t connect_delete(struct seam *s, struct call *c, struct connect *obj)
{
	for (unsigned int steps = 1;; steps++) {
		uint64_t status = give_page_back(s, c, obj);

		if (status || !obj->taken)
			return status;
		if (call_interrupted(s, c, steps))
			return TDX_INTERRUPTED_RESUMABLE;
	}
}

void connect_free(struct seam *s, struct connect *obj)
{
	struct connect **at;

	for (at = &s->connect.objects; *at != obj; at = &(*at)->next)
		;
	*at = obj->next;
	if (obj->state != CONNECT_CREATING)
		atomic_fetch_sub(&s->connect.nr[obj->kind], 1);
	free(obj);
}

void connect_free_all(struct seam *s)
{
	while (s->connect.objects)
		connect_free(s, s->connect.objects);
}

uint64_t connect_check_out(struct seam *s, struct call *c, const struct page_list *pages,
			   uint64_t root, uint32_t op)
{
	if (!s->cfg.connect_out)
		return TDX_SUCCESS;
	if (pages->nr > 1)
		return page_list_check_root(s, c, root, op);
	return root ? TDX_OPERAND_INVALID | op : TDX_SUCCESS;
}

uint64_t connect_write_out(struct seam *s, const struct page_list *pages, uint64_t root)
{
	struct hpa_array array = { .hpa = pages->pa[0], .nr = pages->nr };

	if (!s->cfg.connect_out)
		return 0;
	if (pages->nr > 1) {
		page_list_write_array(s, root, pages);
		array.hpa = root;
	}
	return hpa_array_encode(&array);
}
