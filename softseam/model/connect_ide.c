// SPDX-License-Identifier: GPL-2.0-only
/* TDH.IDE.STREAM.CREATE and TDH.IDE.STREAM.DELETE */
#include "connect.h"
#include "leaves.h"

/* RCX: device and function of the root port, and whether the stream is selective. */
#define STREAM_INFO_RESERVED	0xFFFFFFFFFFFFFE00ULL

/* Two streams are the same if both are for the same session and root port. */
static uint64_t stream_key(const struct call *c)
{
	return c->in.rdx << 16 | c->in.rcx;
}

/* Values for registers of 32 bits in the root port's IDE capability. */
static uint64_t check_registers(const struct call *c)
{
	const struct {
		uint64_t value;
		uint32_t op;
	} reg[] = {
		{ c->in.r9, OPERAND_R9 }, { c->in.r10, OPERAND_R10 }, { c->in.r11, OPERAND_R11 },
		{ c->in.r12, OPERAND_R12 }, { c->in.r13, OPERAND_R13 }, { c->in.r14, OPERAND_R14 },
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(reg); i++) {
		if (reg[i].value > UINT32_MAX)
			return TDX_OPERAND_INVALID | reg[i].op;
	}
	return TDX_SUCCESS;
}

static uint64_t new_stream(struct seam *s, struct call *c, struct connect **obj)
{
	struct connect *spdm = connect_by_id(s, CONNECT_SPDM, c->in.rdx);
	struct page_list pages;
	uint64_t status;

	if (c->in.rcx & STREAM_INFO_RESERVED)
		return TDX_OPERAND_INVALID | OPERAND_RCX;
	if (!spdm)
		return TDX_OPERAND_INVALID | OPERAND_RDX;
	status = check_registers(c);
	if (!status && connect_by_key(s, CONNECT_IDE, stream_key(c)))
		status = TDX_OP_STATE_INCORRECT;
	if (!status)
		status = page_list_read_array(s, c, c->in.r8, OPERAND_R8, s->cfg.ide_mt_pages,
					      &pages);
	if (!status)
		status = connect_new(s, c, CONNECT_IDE, stream_key(c), &pages, OPERAND_R8, obj);
	if (!status) {
		(*obj)->spdm = spdm;
		spdm->streams++;
	}
	return status;
}

/* A stream that is gone again does not hold its session. */
static uint64_t create_stream(struct seam *s, struct call *c, struct connect *obj)
{
	struct connect *spdm = obj->spdm;
	uint64_t status = connect_create(s, c, obj, OPERAND_R8);

	if (status && !connect_by_key(s, CONNECT_IDE, stream_key(c)))
		spdm->streams--;
	return status;
}

static uint64_t create(struct seam *s, struct call *c)
{
	struct connect *obj;
	uint64_t status = connect_resumed(s, c, stream_key(c), c->in.r8, &obj);

	if (!status && !obj)
		status = new_stream(s, c, &obj);
	if (!status)
		status = create_stream(s, c, obj);
	if (!status) {
		c->out.rcx = obj->id;
		c->out.rdx = obj->id & 0xFF;
	}
	return status;
}

/*
 * Memory for an IDE stream, and what the root port's registers are to hold.
 *
 * In:  RCX	root port, and whether the stream is selective
 *	RDX	SPDM id
 *	R8	HPA_ARRAY_T
 *	R9	stream control
 *	R10, R11	RID association
 *	R12, R13, R14	address association
 * Out: RCX	stream id
 *	RDX	IDE id in the root port
 */
uint64_t tdh_ide_stream_create(struct seam *s, struct call *c)
{
	uint64_t status = connect_enter(s);

	if (status)
		return status;
	status = create(s, c);
	connect_leave(s);
	return status;
}

static uint64_t find_stream(struct seam *s, struct call *c, struct connect **obj)
{
	uint64_t status;

	if (!connect_by_id(s, CONNECT_SPDM, c->in.rcx))
		return TDX_OPERAND_INVALID | OPERAND_RCX;
	*obj = connect_by_id(s, CONNECT_IDE, c->in.rdx);
	if (!*obj || (*obj)->spdm->id != c->in.rcx)
		return TDX_OPERAND_INVALID | OPERAND_RDX;
	status = connect_check_out(s, c, &(*obj)->pages, c->in.r8, OPERAND_R8);
	if (!status)
		connect_start_deletion(c, *obj);
	return status;
}

static uint64_t delete(struct seam *s, struct call *c)
{
	struct connect *obj;
	uint64_t status = connect_resumed(s, c, c->in.rdx, c->in.r8, &obj);

	if (!status && !obj)
		status = find_stream(s, c, &obj);
	if (!status)
		status = connect_delete(s, c, obj);
	if (status)
		return status;

	c->out.rcx = connect_write_out(s, &obj->pages, c->in.r8);
	obj->spdm->streams--;
	connect_free(s, obj);
	return TDX_SUCCESS;
}

/*
 * The host gets the pages of an IDE stream back.
 *
 * In:  RCX	SPDM id
 *	RDX	stream id
 *	R8	page for the list of them, 0 if there is one
 * Out: RCX	HPA_ARRAY_T of them
 */
uint64_t tdh_ide_stream_delete(struct seam *s, struct call *c)
{
	uint64_t status = connect_enter(s);

	if (status)
		return status;
	status = delete(s, c);
	connect_leave(s);
	return status;
}
