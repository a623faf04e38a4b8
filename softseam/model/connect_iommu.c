// SPDX-License-Identifier: GPL-2.0-only
/* TDH.IOMMU.SETUP and TDH.IOMMU.CLEAR */
#include "connect.h"
#include "leaves.h"

/* Is there an IOMMU with support for TDX Connect at @reg_base? */
static bool is_iommu(const struct seam *s, uint64_t reg_base)
{
	for (unsigned int i = 0; i < s->cfg.nr_iommus; i++) {
		if (s->cfg.iommu[i] == reg_base)
			return true;
	}
	return false;
}

static uint64_t new_iommu(struct seam *s, struct call *c, struct connect **obj)
{
	struct page_list pages;
	uint64_t status;

	if (!is_iommu(s, c->in.rcx))
		return TDX_OPERAND_INVALID | OPERAND_RCX;
	if (connect_by_key(s, CONNECT_IOMMU, c->in.rcx))
		return TDX_OP_STATE_INCORRECT;
	status = page_list_read_iommu_mt(s, c, c->in.rdx, OPERAND_RDX, s->cfg.iommu_mt_pages,
					 &pages);
	if (status)
		return status;
	return connect_new(s, c, CONNECT_IOMMU, c->in.rcx, &pages, OPERAND_RDX, obj);
}

static uint64_t setup(struct seam *s, struct call *c)
{
	struct connect *obj;
	uint64_t status = connect_resumed(s, c, c->in.rcx, c->in.rdx, &obj);

	if (!status && !obj)
		status = new_iommu(s, c, &obj);
	if (!status)
		status = connect_create(s, c, obj, OPERAND_RDX);
	if (!status)
		c->out.rcx = obj->id;
	return status;
}

/*
 * An IOMMU becomes a trusted one.
 *
 * In:  RCX	address of its registers
 *	RDX	IOMMU_MT
 * Out: RCX	IOMMU id
 */
uint64_t tdh_iommu_setup(struct seam *s, struct call *c)
{
	uint64_t status = connect_enter(s);

	if (status)
		return status;
	status = setup(s, c);
	connect_leave(s);
	return status;
}

static uint64_t find_iommu(struct seam *s, struct call *c, struct connect **obj)
{
	uint64_t status = TDX_SUCCESS;

	*obj = connect_by_id(s, CONNECT_IOMMU, c->in.rcx);
	if (!*obj)
		return TDX_OPERAND_INVALID | OPERAND_RCX;
	if (s->cfg.connect_out)
		status = page_list_check_root(s, c, c->in.rdx, OPERAND_RDX);
	if (!status)
		connect_start_deletion(c, *obj);
	return status;
}

static uint64_t clear(struct seam *s, struct call *c)
{
	struct connect *obj;
	uint64_t status = connect_resumed(s, c, c->in.rcx, c->in.rdx, &obj);

	if (!status && !obj)
		status = find_iommu(s, c, &obj);
	if (!status)
		status = connect_delete(s, c, obj);
	if (status)
		return status;

	if (s->cfg.connect_out)
		page_list_write_iommu_mt(s, c->in.rdx, &obj->pages);
	connect_free(s, obj);
	return TDX_SUCCESS;
}

/*
 * The host gets the pages of a trusted IOMMU back.
 *
 * In: RCX	IOMMU id
 *     RDX	page for the IOMMU_MT of them
 */
uint64_t tdh_iommu_clear(struct seam *s, struct call *c)
{
	uint64_t status = connect_enter(s);

	if (status)
		return status;
	status = clear(s, c);
	connect_leave(s);
	return status;
}
