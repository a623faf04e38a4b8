// SPDX-License-Identifier: GPL-2.0-only
/* TDCALL: each leaf, each of its errors. */
#include <nettle/hmac.h>
#include <nettle/sha2.h>
#include <string.h>

#include "guest_host.h"
#include "tdreport.h"

#define TDG_VP_VMCALL		0
#define TDG_VP_INFO		1
#define TDG_MR_RTMR_EXTEND	2
#define TDG_VP_VEINFO_GET	3
#define TDG_MR_REPORT		4
#define TDG_MEM_PAGE_ACCEPT	6
#define TDG_VM_RD		7
#define TDG_VM_WR		8

/* A call that fails, or succeeds and leaves no trace outside of registers. */
struct call_row {
	const char *name;
	uint64_t leaf;
	struct seam_regs in;
	void (*twist)(struct guest *g);
	uint64_t status;
};

#define GUEST_TWIST(name, ...)				\
	static void name(struct guest *g)		\
	{						\
		__VA_ARGS__;				\
	}

#define MEM_BLOCK(g, gpa)						\
	td_must((g)->h, 1, (struct seam_regs){ .rax = TDH_MEM_RANGE_BLOCK,	\
					       .rcx = gpa, .rdx = TDR })

GUEST_TWIST(tree_locked, lock_try_exclusive(&host_td(g->h)->sept.lock))
GUEST_TWIST(entry_locked, lock_try_exclusive(&host_entry(g->h, GPA_AUG, 0)->lock))
GUEST_TWIST(rtmr_locked, lock_try_exclusive(&host_td(g->h)->rtmr_lock))
GUEST_TWIST(aug_2m, td_must(g->h, 1, (struct seam_regs){ .rax = TDH_MEM_PAGE_AUG,
			.rcx = GPA_NO_TABLE | 1, .rdx = TDR, .r8 = FREE_2M }))
GUEST_TWIST(accept_2m, struct sept_walk walk; aug_2m(g);
	    sept_accept(&host_td(g->h)->sept, GPA_NO_TABLE, 1, &walk))

/* TDCS fields that Linux knows. */
#define ATTRIBUTES		0x1110000300000000ULL
#define CONFIG_FLAGS		0x1110000300000016ULL
#define TD_CTLS			0x1110000300000017ULL
#define NOTIFY_ENABLES		0x9100000000000010ULL
#define TOPOLOGY_CONFIGURED	0x9100000000000019ULL
#define NO_FIELD		0x1110000300001234ULL

#define ROW(name_, leaf_, status_, ...)	\
	{ .name = name_, .leaf = leaf_, .status = status_, .in = { __VA_ARGS__ } }
#define TWISTED(twist_, leaf_, status_, ...)	\
	{ .name = #twist_, .leaf = leaf_, .twist = twist_, .status = status_, .in = { __VA_ARGS__ } }
#define INVALID(op)	(TDX_OPERAND_INVALID | OPERAND_ ## op)

static const struct call_row rows[] = {
	ROW("leaf_5", 5, INVALID(RAX)),
	ROW("leaf_9", 9, INVALID(RAX)),
	ROW("leaf_22", 22, INVALID(RAX)),
	ROW("leaf_ffff", 0xFFFF, INVALID(RAX)),
	ROW("reserved_24", TDG_VP_INFO | 1 << 24, INVALID(RAX)),
	ROW("reserved_63", TDG_VP_INFO | 1ULL << 63, INVALID(RAX)),
	ROW("version_1", TDG_VP_INFO | 1 << 16, INVALID(RAX)),
	ROW("version_2", TDG_VM_RD | 2 << 16, INVALID(RAX)),

	ROW("vmcall_rax", TDG_VP_VMCALL, INVALID(RCX), .rcx = 1),
	ROW("vmcall_rcx", TDG_VP_VMCALL, INVALID(RCX), .rcx = 2),
	ROW("vmcall_rsp", TDG_VP_VMCALL, INVALID(RCX), .rcx = 0x10),
	ROW("vmcall_rbp", TDG_VP_VMCALL, INVALID(RCX), .rcx = 0x20),
	ROW("vmcall_high", TDG_VP_VMCALL, INVALID(RCX), .rcx = 1ULL << 32),

	ROW("accept_again", TDG_MEM_PAGE_ACCEPT, TDX_PAGE_ALREADY_ACCEPTED, .rcx = GPA_REG),
	ROW("accept_level_2", TDG_MEM_PAGE_ACCEPT, INVALID(RCX), .rcx = 2),
	ROW("accept_reserved", TDG_MEM_PAGE_ACCEPT, INVALID(RCX), .rcx = GPA_AUG | 8),
	ROW("accept_high", TDG_MEM_PAGE_ACCEPT, INVALID(RCX), .rcx = GPA_AUG | 1ULL << 63),
	ROW("accept_misaligned", TDG_MEM_PAGE_ACCEPT, INVALID(RCX), .rcx = GPA_AUG | 1),
	ROW("accept_shared", TDG_MEM_PAGE_ACCEPT, INVALID(RCX), .rcx = GPA_SHARED),
	ROW("accept_beyond", TDG_MEM_PAGE_ACCEPT, INVALID(RCX), .rcx = 1ULL << 50),
	ROW("accept_table", TDG_MEM_PAGE_ACCEPT, TDX_PAGE_SIZE_MISMATCH | 1, .rcx = 1),
	TWISTED(aug_2m, TDG_MEM_PAGE_ACCEPT, TDX_PAGE_SIZE_MISMATCH | 1, .rcx = GPA_NO_TABLE),
	TWISTED(accept_2m, TDG_MEM_PAGE_ACCEPT, TDX_PAGE_ALREADY_ACCEPTED | 1,
		.rcx = GPA_NO_TABLE + 0x3000),
	TWISTED(tree_locked, TDG_MEM_PAGE_ACCEPT, TDX_OPERAND_BUSY | OPERAND_SEPT_TREE,
		.rcx = GPA_AUG),
	TWISTED(entry_locked, TDG_MEM_PAGE_ACCEPT, TDX_OPERAND_BUSY | OPERAND_RCX,
		.rcx = GPA_AUG),

	ROW("report_misaligned", TDG_MR_REPORT, INVALID(RCX), .rcx = GPA_DATA + 512,
	    .rdx = GPA_DATA),
	ROW("report_shared", TDG_MR_REPORT, INVALID(RCX), .rcx = GPA_SHARED, .rdx = GPA_DATA),
	ROW("report_beyond", TDG_MR_REPORT, INVALID(RCX), .rcx = 1ULL << 48, .rdx = GPA_DATA),
	ROW("report_data_misaligned", TDG_MR_REPORT, INVALID(RDX), .rcx = GPA_DATA,
	    .rdx = GPA_DATA + 32),
	ROW("report_data_shared", TDG_MR_REPORT, INVALID(RDX), .rcx = GPA_DATA,
	    .rdx = GPA_SHARED),
	ROW("report_r8", TDG_MR_REPORT, INVALID(R8), .rcx = GPA_DATA, .rdx = GPA_DATA, .r8 = 1),
	TWISTED(rtmr_locked, TDG_MR_REPORT, TDX_OPERAND_BUSY | OPERAND_RTMR, .rcx = GPA_DATA,
		.rdx = GPA_DATA),

	ROW("rtmr_misaligned", TDG_MR_RTMR_EXTEND, INVALID(RCX), .rcx = GPA_DATA + 48),
	ROW("rtmr_shared", TDG_MR_RTMR_EXTEND, INVALID(RCX), .rcx = GPA_SHARED),
	ROW("rtmr_index", TDG_MR_RTMR_EXTEND, INVALID(RDX), .rcx = GPA_DATA, .rdx = 4),
	TWISTED(rtmr_locked, TDG_MR_RTMR_EXTEND, TDX_OPERAND_BUSY | OPERAND_RTMR, .rcx = GPA_DATA),

	ROW("veinfo_none", TDG_VP_VEINFO_GET, TDX_NO_VALID_VE_INFO),

	ROW("rd_rcx", TDG_VM_RD, INVALID(RCX), .rcx = 1, .rdx = ATTRIBUTES),
	ROW("rd_no_field", TDG_VM_RD, TDX_METADATA_FIELD_ID_INCORRECT, .rdx = NO_FIELD),
	ROW("rd_last_element", TDG_VM_RD, TDX_METADATA_FIELD_ID_INCORRECT,
	    .rdx = ATTRIBUTES | 1ULL << 34),
	ROW("rd_none", TDG_VM_RD, TDX_METADATA_FIELD_ID_INCORRECT, .rdx = ~0ULL),
	ROW("wr_rcx", TDG_VM_WR, INVALID(RCX), .rcx = 1, .rdx = TD_CTLS),
	ROW("wr_no_field", TDG_VM_WR, TDX_METADATA_FIELD_ID_INCORRECT, .rdx = NO_FIELD),
	ROW("wr_read_only", TDG_VM_WR, TDX_METADATA_FIELD_NOT_WRITABLE, .rdx = ATTRIBUTES,
	    .r8 = 1, .r9 = 1),
	ROW("wr_reduce_ve", TDG_VM_WR, TDX_METADATA_FIELD_VALUE_NOT_VALID, .rdx = TD_CTLS,
	    .r8 = 8, .r9 = 8),
	ROW("wr_pending_ve", TDG_VM_WR, TDX_METADATA_FIELD_VALUE_NOT_VALID, .rdx = TD_CTLS,
	    .r8 = 1, .r9 = 1),
	ROW("wr_notify_bad", TDG_VM_WR, TDX_METADATA_FIELD_VALUE_NOT_VALID, .rdx = NOTIFY_ENABLES,
	    .r8 = 2, .r9 = ~0ULL),
};

/* What an error must not change, besides the registers that are outputs. */
static uint64_t digest(struct guest *g)
{
	const struct td *td = host_td(g->h);
	uint64_t sum = td_digest(g->h, 0);

	sum = host_digest_bytes(sum, td->rtmr, sizeof(td->rtmr));
	sum = host_digest_bytes(sum, guest_mem(g, GPA_DATA), SZ_4K);
	sum = host_digest_bytes(sum, &g->v->ve, sizeof(g->v->ve));
	return sum + td->td_ctls + td->notify_enables;
}

static void run_row(void **state)
{
	const struct call_row *row = *state;
	struct host *h = host_new(NULL);
	uint64_t before;
	struct guest g;

	guest_start(&g, h);
	if (row->twist)
		row->twist(&g);
	g.r->gpr = row->in;
	before = digest(&g);
	assert_status(guest_tdcall(&g, row->leaf), row->status);
	assert_int_equal(digest(&g), before);
	host_free(h);
}

static int run_call_rows(void)
{
	struct CMUnitTest tests[ARRAY_SIZE(rows)];

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		tests[i] = (struct CMUnitTest){ .name = rows[i].name, .test_func = run_row,
						.initial_state = (void *)&rows[i] };
	return _cmocka_run_group_tests("tdcall errors", tests, ARRAY_SIZE(tests), NULL, NULL);
}

/* TDCALL that does not come to its end now. */
static void tdcall_stops(struct guest *g, uint64_t leaf, bool goes_on)
{
	g->r->gpr.rax = leaf;
	guest_code(g, "\x66\x0f\x01\xcc", 4);
	assert_int_equal(guest_stop(g, GUEST_STOP_UNDEFINED), goes_on);
}

static void vmcall_passes_registers(void **state)
{
	const struct seam_regs host = { .rbx = 0xB0, .rdx = 0xD0, .rsi = 0x51, .rdi = 0xD1,
					.rbp = 0xB9, .r8 = 0x80, .r10 = 0xA0, .r15 = 0xF0 };
	struct seam_regs r = { .rcx = 0x40008D08, .rbx = 3, .rdx = 2, .rsi = 6, .rdi = 7,
			       .rbp = 5, .r8 = 8, .r9 = 9, .r10 = 10, .r11 = 11, .r12 = 12,
			       .r13 = 13, .r14 = 14, .r15 = 15 };
	struct guest g;

	guest_start(&g, *state);
	g.r->gpr = r;
	tdcall_stops(&g, TDG_VP_VMCALL, false);
	assert_left(&g, TDX_SUCCESS | VMX_TDCALL);
	assert_int_equal(g.result.regs.rcx, 0x40008D08);
	assert_int_equal(g.result.xmm, 0x4000);
	assert_int_equal(g.result.regs.rbx, 3);
	assert_int_equal(g.result.regs.r8, 8);
	assert_int_equal(g.result.regs.r10, 10);
	assert_int_equal(g.result.regs.r11, 11);
	assert_int_equal(g.result.regs.r15, 15);
	assert_int_equal(g.result.regs.rdx | g.result.regs.rsi | g.result.regs.rdi |
			 g.result.regs.r9 | g.result.regs.r12 | g.result.regs.r13 |
			 g.result.regs.r14, 0);
	/* RBP is the host's own. */
	assert_int_equal(g.result.regs.rbp, 0);
	assert_int_equal(g.r->rip, GPA_CODE + 4);

	guest_enter(&g, host);
	r.rax = 0;
	r.rbx = 0xB0;
	r.r8 = 0x80;
	r.r10 = 0xA0;
	r.r11 = 0;
	r.r15 = 0xF0;
	assert_memory_equal(&g.r->gpr, &r, sizeof(r));
	assert_int_equal(g.v->run.xmm_from_host, 0x4000);
	/* Only once. */
	assert_false(guest_stop(&g, GUEST_STOP_HOST_EVENT));
	guest_enter(&g, (struct seam_regs){ .rbx = 1 });
	assert_memory_equal(&g.r->gpr, &r, sizeof(r));
	assert_int_equal(g.v->run.xmm_from_host, 0);
}

/* A TD that does not forbid it passes RBP, too. */
static void vmcall_passes_rbp(void **state)
{
	struct guest g;

	guest_start(&g, *state);
	host_td(g.h)->params.config_flags = 0;
	g.r->gpr.rcx = 0x20;
	g.r->gpr.rbp = 0x77;
	tdcall_stops(&g, TDG_VP_VMCALL, false);
	assert_int_equal(g.result.regs.rbp, 0x77);
	guest_enter(&g, (struct seam_regs){ .rbp = 0x88 });
	assert_int_equal(g.r->gpr.rbp, 0x88);
}

static void info(void **state)
{
	struct seam_regs r;
	struct guest g;

	guest_start_with(&g, *state, TD_ATTR_SEPT_VE_DISABLE, 0);
	assert_status(guest_tdcall(&g, TDG_VP_INFO), TDX_SUCCESS);
	r = g.r->gpr;
	assert_int_equal(r.rcx, 48);
	assert_int_equal(r.rdx, TD_ATTR_SEPT_VE_DISABLE);
	assert_int_equal(r.r8, 2 | 3ULL << 32);
	assert_int_equal(r.r9, 0);
	assert_int_equal(r.r10, 1);
	assert_int_equal(r.r11, 0);
}

static void accept(void **state)
{
	static const uint8_t zero[4096];
	struct guest g;

	guest_start(&g, *state);
	g.r->gpr.rcx = GPA_AUG;
	assert_status(guest_tdcall(&g, TDG_MEM_PAGE_ACCEPT), TDX_SUCCESS);
	assert_int_equal(host_entry(g.h, GPA_AUG, 0)->word, AUG_PAGE | SEPT_MAPPED);
	assert_memory_equal(guest_mem(&g, GPA_AUG), zero, sizeof(zero));
	g.r->rip = GPA_CODE;
	g.r->gpr.rcx = GPA_AUG;
	assert_status(guest_tdcall(&g, TDG_MEM_PAGE_ACCEPT), TDX_PAGE_ALREADY_ACCEPTED);
}

static void accept_large(void **state)
{
	struct guest g;

	guest_start(&g, *state);
	aug_2m(&g);
	g.r->gpr.rcx = GPA_NO_TABLE | 1;
	assert_status(guest_tdcall(&g, TDG_MEM_PAGE_ACCEPT), TDX_SUCCESS);
	assert_int_equal(host_entry(g.h, GPA_NO_TABLE, 1)->word, FREE_2M | SEPT_MAPPED);
}

/* ACCEPT of what is not there leaves the TD, and is executed again. */
static void assert_accept_leaves(struct guest *g, uint64_t rcx, uint64_t info)
{
	g->r->rip = GPA_CODE;
	g->r->gpr.rcx = rcx;
	tdcall_stops(g, TDG_MEM_PAGE_ACCEPT, false);
	assert_left(g, TDX_SUCCESS | VMX_EPT_VIOLATION);
	assert_int_equal(g->result.regs.rcx, EPT_QUAL_WRITE);
	assert_int_equal(g->result.regs.rdx, EXT_QUAL_ACCEPT | info << 32);
	assert_int_equal(g->result.regs.r8, rcx & ~0xFFFULL);
	assert_int_equal(g->r->rip, GPA_CODE);
	assert_int_equal(g->r->gpr.rcx, rcx);
	guest_enter(g, (struct seam_regs){ 0 });
}

static void accept_leaves(void **state)
{
	struct guest g;

	guest_start(&g, *state);
	/* Level asked for 2:0, level found 5:3, state 13:6, leaf 14. */
	assert_accept_leaves(&g, GPA_FREE, 0);
	assert_accept_leaves(&g, GPA_NO_TABLE + 0x1000, 1 << 3);
	assert_accept_leaves(&g, GPA_NO_TABLE | 1, 1 | 1 << 3);
	MEM_BLOCK(&g, GPA_AUG);
	assert_accept_leaves(&g, GPA_AUG, SEPT_PENDING_BLOCKED << 6 | 1 << 14);
}

static void sha384(const void *data, size_t len, uint8_t *hash)
{
	struct sha384_ctx ctx;

	sha384_init(&ctx);
	sha384_update(&ctx, len, data);
	sha384_digest(&ctx, SHA384_BYTES, hash);
}

static void report(void **state)
{
	const struct report *r;
	uint8_t hash[SHA384_BYTES];
	const struct td *td;
	struct guest g;

	guest_start(&g, *state);
	td = host_td(g.h);
	memset(guest_mem(&g, GPA_DATA), 0x5A, SZ_4K);
	g.r->gpr = (struct seam_regs){ .rcx = GPA_DATA + 1024, .rdx = GPA_DATA + 64 };
	assert_status(guest_tdcall(&g, TDG_MR_REPORT), TDX_SUCCESS);
	r = (const struct report *)guest_mem(&g, GPA_DATA + 1024);
	assert_int_equal(r->mac.type, 0x81);
	assert_int_equal(r->mac.subtype | r->mac.version, 0);
	for (unsigned int i = 0; i < REPORT_DATA_BYTES; i++)
		assert_int_equal(r->mac.data[i], 0x5A);
	assert_memory_equal(r->td.mrtd, td->mrtd, SHA384_BYTES);
	assert_int_equal(r->td.attributes, td->params.attributes);
	assert_int_equal(r->td.xfam, td->params.xfam);
	assert_memory_equal(r->td.mrconfigid, td->params.mrconfigid, 3 * SHA384_BYTES);

	sha384((const uint8_t *)r + 512, 512, hash);
	assert_memory_equal(r->mac.td_info_hash, hash, SHA384_BYTES);
	sha384((const uint8_t *)r + 256, 239, hash);
	assert_memory_equal(r->mac.tcb_info_hash, hash, SHA384_BYTES);
	/* Nothing around it was written. */
	assert_int_equal(*guest_mem(&g, GPA_DATA + 1023), 0x5A);
	assert_int_equal(*guest_mem(&g, GPA_DATA + 2048), 0x5A);
}

static void take_report(struct guest *g, struct report *r)
{
	g->r->rip = GPA_CODE;
	g->r->gpr = (struct seam_regs){ .rcx = GPA_DATA + 1024, .rdx = GPA_DATA };
	assert_status(guest_tdcall(g, TDG_MR_REPORT), TDX_SUCCESS);
	memcpy(r, guest_mem(g, GPA_DATA + 1024), sizeof(*r));
}

/* The MAC says that it is this platform, and that nothing was changed. */
static void report_mac(void **state)
{
	struct host *other = host_new((const char *const[]){ "seed", "77", NULL });
	struct report a, b, c;
	struct guest g;

	guest_start(&g, *state);
	take_report(&g, &a);
	take_report(&g, &b);
	assert_memory_equal(&a, &b, sizeof(a));
	guest_mem(&g, GPA_DATA)[0] ^= 1;
	take_report(&g, &b);
	assert_memory_not_equal(a.mac.mac, b.mac.mac, sizeof(a.mac.mac));

	guest_start(&g, other);
	take_report(&g, &c);
	assert_memory_equal(&a, &c, offsetof(struct report_mac, mac));
	assert_memory_not_equal(a.mac.mac, c.mac.mac, sizeof(a.mac.mac));
	host_free(other);
}

/* Of memory that the host takes away, the call says so and comes again. */
static void operand_is_away(void **state)
{
	static const struct { uint64_t leaf, rcx, rdx; } calls[] = {
		{ TDG_MR_REPORT, GPA_FREE, GPA_DATA }, { TDG_MR_REPORT, GPA_DATA, GPA_FREE },
		{ TDG_MR_RTMR_EXTEND, GPA_FREE, 0 },
	};
	struct guest g;

	guest_start(&g, *state);
	for (size_t i = 0; i < ARRAY_SIZE(calls); i++) {
		g.r->rip = GPA_CODE;
		g.r->gpr = (struct seam_regs){ .rcx = calls[i].rcx, .rdx = calls[i].rdx };
		tdcall_stops(&g, calls[i].leaf, false);
		assert_left(&g, TDX_SUCCESS | VMX_EPT_VIOLATION);
		assert_int_equal(g.result.regs.r8, GPA_FREE);
		assert_int_equal(g.r->rip, GPA_CODE);
		guest_enter(&g, (struct seam_regs){ 0 });
	}
	/* A page that was not accepted is the guest's own business. */
	g.r->gpr = (struct seam_regs){ .rcx = GPA_AUG };
	tdcall_stops(&g, TDG_MR_RTMR_EXTEND, true);
	assert_ve(&g, VMX_EPT_VIOLATION, EPT_QUAL_WRITE, GPA_AUG, 0);
}

static void rtmr(void **state)
{
	uint8_t both[2 * SHA384_BYTES] = { 0 }, want[TD_NR_RTMRS][SHA384_BYTES] = { { 0 } };
	struct guest g;

	guest_start(&g, *state);
	for (unsigned int i = 0; i < 8; i++) {
		unsigned int n = i % TD_NR_RTMRS;

		memset(guest_mem(&g, GPA_DATA + 64), (int)i, SHA384_BYTES);
		g.r->rip = GPA_CODE;
		g.r->gpr = (struct seam_regs){ .rcx = GPA_DATA + 64, .rdx = n };
		assert_status(guest_tdcall(&g, TDG_MR_RTMR_EXTEND), TDX_SUCCESS);
		memcpy(both, want[n], SHA384_BYTES);
		memset(both + SHA384_BYTES, (int)i, SHA384_BYTES);
		sha384(both, sizeof(both), want[n]);
		assert_memory_equal(host_td(g.h)->rtmr, want, sizeof(want));
	}
}

static void veinfo(void **state)
{
	struct guest g;

	guest_start(&g, *state);
	g.exit = (struct guest_exit){ .why = GUEST_STOP_MEMORY, .gpa = GPA_AUG + 8,
				      .write = true };
	assert_true(guest_stop_with(&g));
	g.v->run.inject.valid = false;
	g.v->ve.insn_info = 0x33;
	g.v->ve.insn_len = 4;
	assert_status(guest_tdcall(&g, TDG_VP_VEINFO_GET), TDX_SUCCESS);
	assert_int_equal(g.r->gpr.rcx, VMX_EPT_VIOLATION);
	assert_int_equal(g.r->gpr.rdx, EPT_QUAL_WRITE);
	assert_int_equal(g.r->gpr.r8, 0);
	assert_int_equal(g.r->gpr.r9, GPA_AUG + 8);
	assert_int_equal(g.r->gpr.r10, 4 | 0x33ULL << 32);
	g.r->rip = GPA_CODE;
	assert_status(guest_tdcall(&g, TDG_VP_VEINFO_GET), TDX_NO_VALID_VE_INFO);
	assert_int_equal(g.r->gpr.rcx | g.r->gpr.rdx | g.r->gpr.r9 | g.r->gpr.r10, 0);
}

static uint64_t rd(struct guest *g, uint64_t field)
{
	g->r->rip = GPA_CODE;
	g->r->gpr = (struct seam_regs){ .rdx = field };
	assert_status(guest_tdcall(g, TDG_VM_RD), TDX_SUCCESS);
	return g->r->gpr.r8;
}

static void wr(struct guest *g, uint64_t field, uint64_t value, uint64_t mask, uint64_t old)
{
	g->r->rip = GPA_CODE;
	g->r->gpr = (struct seam_regs){ .rdx = field, .r8 = value, .r9 = mask };
	assert_status(guest_tdcall(g, TDG_VM_WR), TDX_SUCCESS);
	assert_int_equal(g->r->gpr.r8, old);
}

static void fields(void **state)
{
	struct guest g;

	guest_start_with(&g, *state, TD_ATTR_SEPT_VE_DISABLE, 0);
	host_td(g.h)->params.config_flags |= TD_CONFIG_FLEXIBLE_PENDING_VE;
	assert_int_equal(rd(&g, ATTRIBUTES), TD_ATTR_SEPT_VE_DISABLE);
	assert_int_equal(rd(&g, CONFIG_FLAGS), 6);
	assert_int_equal(rd(&g, TOPOLOGY_CONFIGURED), 1);
	assert_int_equal(rd(&g, TD_CTLS), 0);
	wr(&g, TD_CTLS, ~0ULL, 2, 0);
	wr(&g, TD_CTLS, 1, 1, 2);
	assert_int_equal(rd(&g, TD_CTLS), 3);
	wr(&g, NOTIFY_ENABLES, 1, 1, 0);
	assert_int_equal(rd(&g, NOTIFY_ENABLES), 1);

	atomic_store(&host_td(g.h)->td_ctls, 0);
	host_vcpu(g.h)->has_x2apic_id = false;
	assert_int_equal(rd(&g, TOPOLOGY_CONFIGURED), 0);
	g.r->rip = GPA_CODE;
	g.r->gpr = (struct seam_regs){ .rdx = TD_CTLS, .r8 = 2, .r9 = 2 };
	assert_status(guest_tdcall(&g, TDG_VM_WR), TDX_METADATA_FIELD_VALUE_NOT_VALID);
}

static void fields_in_order(void **state)
{
	unsigned int nr = 0;
	struct guest g;

	guest_start(&g, *state);
	g.r->gpr = (struct seam_regs){ .rdx = ~0ULL };
	assert_status(guest_tdcall(&g, TDG_VM_RD | 1 << 16),
		      TDX_METADATA_FIRST_FIELD_ID_IN_CONTEXT);
	while (g.r->gpr.rdx != ~0ULL) {
		g.r->rip = GPA_CODE;
		assert_status(guest_tdcall(&g, TDG_VM_RD | 1 << 16), TDX_SUCCESS);
		nr++;
	}
	assert_int_equal(nr, 8);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		host_test(vmcall_passes_registers),
		host_test(vmcall_passes_rbp),
		host_test(info),
		host_test(accept),
		host_test(accept_large),
		host_test(accept_leaves),
		host_test(report),
		host_test(report_mac),
		host_test(operand_is_away),
		host_test(rtmr),
		host_test(veinfo),
		host_test(fields),
		host_test(fields_in_order),
	};
	int failed = run_call_rows();

	return failed + cmocka_run_group_tests_name("tdcall", tests, NULL, NULL);
}
