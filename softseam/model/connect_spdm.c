// SPDX-License-Identifier: GPL-2.0-only
/* TDH.SPDM.CREATE and TDH.SPDM.DELETE */
#include "connect.h"
#include "leaves.h"

/* A PCI function: device id, then segment, then whether the segment counts. */
#define FUNC_SEGMENT		0x0000000000FF0000ULL
#define FUNC_SEGMENT_VALID	(1ULL << 24)
#define FUNC_RESERVED		0xFFFFFFFFFE000000ULL

static bool is_func_id(uint64_t id)
{
	return !(id & FUNC_RESERVED) && (id & FUNC_SEGMENT_VALID || !(id & FUNC_SEGMENT));
}

static uint64_t read_pages(struct seam *s, struct call *c, struct page_list *pages)
{
	if (s->cfg.spdm_list_info)
		return page_list_read_info(s, c, c->in.rdx, OPERAND_RDX, s->cfg.spdm_mt_pages,
					   pages);
	return page_list_read_array(s, c, c->in.rdx, OPERAND_RDX, s->cfg.spdm_mt_pages, pages);
}

static uint64_t new_spdm(struct seam *s, struct call *c, struct connect **obj)
{
	struct page_list pages;
	uint64_t status;

	if (!is_func_id(c->in.rcx))
		return TDX_OPERAND_INVALID | OPERAND_RCX;
	if (connect_by_key(s, CONNECT_SPDM, c->in.rcx))
		return TDX_OP_STATE_INCORRECT;
	status = read_pages(s, c, &pages);
	if (status)
		return status;
	return connect_new(s, c, CONNECT_SPDM, c->in.rcx, &pages, OPERAND_RDX, obj);
}

static uint64_t create(struct seam *s, struct call *c)
{
	struct connect *obj;
	uint64_t status = connect_resumed(s, c, c->in.rcx, c->in.rdx, &obj);

	if (!status && !obj)
		status = new_spdm(s, c, &obj);
	if (!status)
		status = connect_create(s, c, obj, OPERAND_RDX);
	if (!status)
		c->out.rcx = obj->id;
	return status;
}

/*
 * Memory for the SPDM session with a PCI function.
 *
 * In:  RCX	function
 *	RDX	HPA_ARRAY_T, or HPA_LIST_INFO
 * Out: RCX	SPDM id
 */
uint64_t tdh_spdm_create(struct seam *s, struct call *c)
{
	uint64_t status = connect_enter(s);

	if (status)
		return status;
	status = create(s, c);
	connect_leave(s);
	return status;
}

static uint64_t find_spdm(struct seam *s, struct call *c, struct connect **obj)
{
	uint64_t status;

	*obj = connect_by_id(s, CONNECT_SPDM, c->in.rcx);
	if (!*obj)
		return TDX_OPERAND_INVALID | OPERAND_RCX;
	if ((*obj)->streams)
		return TDX_OP_STATE_INCORRECT;
	status = connect_check_out(s, c, &(*obj)->pages, c->in.rdx, OPERAND_RDX);
	if (!status)
		connect_start_deletion(c, *obj);
	return status;
}

static uint64_t delete(struct seam *s, struct call *c)
{
	struct connect *obj;
	uint64_t status = connect_resumed(s, c, c->in.rcx, c->in.rdx, &obj);

	if (!status && !obj)
		status = find_spdm(s, c, &obj);
	if (!status)
		status = connect_delete(s, c, obj);
	if (status)
		return status;

	c->out.rcx = connect_write_out(s, &obj->pages, c->in.rdx);
	connect_free(s, obj);
	return TDX_SUCCESS;
}

/*
 * The host gets the pages of an SPDM session back.
 *
 * In:  RCX	SPDM id
 *	RDX	page for the list of them, 0 if there is one
 * Out: RCX	HPA_ARRAY_T of them
 */
uint64_t tdh_spdm_delete(struct seam *s, struct call *c)
{
	uint64_t status = connect_enter(s);

	if (status)
		return status;
	status = delete(s, c);
	connect_leave(s);
	return status;
}
