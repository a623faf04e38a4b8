/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Objects of TDX Connect: trusted IOMMUs, SPDM sessions, IDE streams.  The host
 * lends each of them pages, and has all of them back when it is deleted.
 *
 * Leaves that create or delete one can be interrupted.  The host then makes the
 * same call once more, with the operands of the first.
 */
#ifndef SOFTSEAM_CONNECT_H
#define SOFTSEAM_CONNECT_H

#include <stdbool.h>
#include <stdint.h>

#include "lock.h"
#include "page_list.h"
#include "pamt.h"
#include "seam.h"

enum connect_kind {
	CONNECT_IOMMU,
	CONNECT_SPDM,
	CONNECT_IDE,
	NR_CONNECT_KINDS
};

enum connect_state {
	/* Some of its pages are taken. */
	CONNECT_CREATING,
	CONNECT_LIVE,
	/* Some of its pages were given back. */
	CONNECT_DELETING,
};

struct connect {
	struct connect *next;
	enum connect_kind kind;
	enum connect_state state;
	/* How the host names it from now on. */
	uint64_t id;
	/* What it is for: no two live objects of a kind have the same. */
	uint64_t key;
	/* Of an IDE stream. */
	struct connect *spdm;
	/* Streams of an SPDM session. */
	unsigned int streams;

	/* Pages, and how many of them the module has. */
	struct page_list pages;
	unsigned int taken;

	/* CREATING, DELETING: the call that is to be made again. */
	const struct leaf *leaf;
	struct seam_regs in;
};

struct connect_table {
	/* Exclusive for all leaves of TDX Connect: OPERAND_BUSY|RCX. */
	struct trylock lock;
	struct connect *objects;
	uint64_t last_id;
	_Atomic uint32_t nr[NR_CONNECT_KINDS];
};

struct call;
struct seam;

/*
 * The leaves begin and end with these.  connect_enter() checks that TDX Connect
 * is on.
 */
uint64_t connect_enter(struct seam *s);
void connect_leave(struct seam *s);

/*
 * Is this call the repetition of an interrupted one?  Then *@obj is its object.
 * INVALID_RESUMPTION if it is for the same object, @key or @id, or has the same
 * list operand @list, but differs elsewhere.
 */
uint64_t connect_resumed(struct seam *s, const struct call *c, uint64_t name, uint64_t list,
			 struct connect **obj);

/* A live object by id or by key, or NULL. */
struct connect *connect_by_id(struct seam *s, enum connect_kind kind, uint64_t id);
struct connect *connect_by_key(struct seam *s, enum connect_kind kind, uint64_t key);

/*
 * A new object in CREATING, which takes @pages; they were read, but not checked.
 * Sets *@obj on success.
 */
uint64_t connect_new(struct seam *s, struct call *c, enum connect_kind kind, uint64_t key,
		     const struct page_list *pages, uint32_t op, struct connect **obj);

/*
 * Take the pages that are still missing; operand @op named them.  On success the
 * object is LIVE.  On an error that no repetition can mend it is gone.
 */
uint64_t connect_create(struct seam *s, struct call *c, struct connect *obj, uint32_t op);

/* Give back the pages that are left.  On success the caller ends with connect_free(). */
void connect_start_deletion(struct call *c, struct connect *obj);
uint64_t connect_delete(struct seam *s, struct call *c, struct connect *obj);
void connect_free(struct seam *s, struct connect *obj);
void connect_free_all(struct seam *s);

/*
 * The HPA_ARRAY_T of @pages for a host that named @root for the list: operand
 * @op, 0 if there is one page.
 */
uint64_t connect_check_out(struct seam *s, struct call *c, const struct page_list *pages,
			   uint64_t root, uint32_t op);
uint64_t connect_write_out(struct seam *s, const struct page_list *pages, uint64_t root);

#endif
