// SPDX-License-Identifier: GPL-2.0-only
/* Objects of TDX Connect from creation to deletion: pages, lists, interrupts. */
#include <string.h>

#include "feature_host.h"

#define IOMMU		0xFED90000ULL
#define FUNC		0x0103ULL
#define OUT		LIST2
#define ARRAY(hpa, nr)	((hpa) | (uint64_t)((nr) - 1) << 55)

#define SETUP()		{ .rax = TDH_IOMMU_SETUP, .rcx = IOMMU, .rdx = LIST }
#define SPDM_PAGE	REGION_PG(0, 40)

static struct host *new_host(const char *const *args)
{
	struct host *h = host_new(args);

	host_start(h);
	host_goto(h, STAGE_TDMRS);
	return h;
}

static struct seam_regs call(struct host *h, struct seam_regs regs)
{
	host_call_checked(h, 0, &regs);
	return regs;
}

/* Make the same call until it is not interrupted.  Returns how often it was. */
static unsigned int repeat(struct host *h, struct seam_regs in, struct seam_regs *out)
{
	unsigned int nr = 0;

	for (;; nr++) {
		*out = call(h, in);
		if (out->rax != TDX_INTERRUPTED_RESUMABLE)
			return nr;
		/* What was no result is not to be fed back. */
		assert_int_equal(out->rcx, in.rax == TDH_IOMMU_CLEAR ? in.rcx : 0);
	}
}

static void fill_iommu_mt(struct host *h, unsigned int nr)
{
	uint64_t *slot = host_list(h, LIST);

	memset(slot, 0, 4096);
	slot[0] = REGION_PG(0, 2) | 2;
	slot[1] = REGION_PG(0, 8) | 2;
	for (unsigned int i = 0; i < nr; i++)
		slot[2 + i] = REGION_PG(0, 100 - i);
}

static void assert_pages(struct host *h, uint64_t owned, unsigned int iommus, unsigned int spdm,
			 unsigned int ide)
{
	struct seam_stats st;

	seam_get_stats(h->seam, &st);
	assert_int_equal(st.pages_owned, owned);
	assert_int_equal(st.iommus, iommus);
	assert_int_equal(st.spdm_sessions, spdm);
	assert_int_equal(st.ide_streams, ide);
}

static void iommu(void **state)
{
	const char *const args[] = { CONNECT, "iommu_mt_pages", "3", NULL };
	struct host *h = new_host(args);
	uint64_t before = host_digest(h);
	struct seam_regs out;

	(void)state;
	fill_iommu_mt(h, 3);
	out = call(h, (struct seam_regs)SETUP());
	assert_status(out.rax, TDX_SUCCESS);
	assert_int_equal(out.rcx, 1);
	assert_pages(h, 7, 1, 0, 0);
	assert_int_equal(host_page(h, REGION_PG(0, 3))->type, PT_IOMMU_MT);
	assert_int_equal(host_page(h, REGION_PG(0, 9))->type, PT_IOMMU_MT);
	assert_int_equal(host_page(h, REGION_PG(0, 98))->type, PT_IOMMU_MT);
	assert_int_equal(host_page(h, REGION_PG(0, 4))->type, PT_NDA);

	/* The list page is the host's again: what is in it now does not matter. */
	memset(host_list(h, OUT), 0x5A, 4096);
	out = call(h, (struct seam_regs){ .rax = TDH_IOMMU_CLEAR, .rcx = 1, .rdx = OUT });
	assert_status(out.rax, TDX_SUCCESS);
	assert_memory_equal(host_list(h, OUT), host_list(h, LIST), 4096);
	assert_pages(h, 0, 0, 0, 0);
	assert_int_equal(host_digest(h), before);

	/* Another id, so that a stale one is noticed. */
	out = call(h, (struct seam_regs)SETUP());
	assert_int_equal(out.rcx, 2);
	assert_int_equal(h->nr_violations, 0);
	host_free(h);
}

static void largest_iommu(void **state)
{
	const char *const args[] = { CONNECT, "iommu_mt_pages", "510", "iommu",
				     "0xfed90000:0xfed91000", NULL };
	struct host *h = new_host(args);
	struct seam_regs in = SETUP(), out;

	(void)state;
	fill_iommu_mt(h, 90);
	for (unsigned int i = 90; i < 510; i++)
		host_list(h, LIST)[2 + i] = REGION_PG(1, i);
	assert_status(call(h, in).rax, TDX_SUCCESS);
	assert_pages(h, 514, 1, 0, 0);
	in.rcx = 0xFED91000;
	assert_status(call(h, in).rax, TDX_PAGE_METADATA_INCORRECT | OPERAND_RDX);
	out = call(h, (struct seam_regs){ .rax = TDH_IOMMU_CLEAR, .rcx = 1, .rdx = OUT });
	assert_status(out.rax, TDX_SUCCESS);
	assert_memory_equal(host_list(h, OUT), host_list(h, LIST), 4096);
	host_free(h);
}

static void interrupted_iommu(void **state)
{
	const char *const args[] = { CONNECT, "iommu_mt_pages", "3", "interrupt_every", "2", NULL };
	struct host *h = new_host(args);
	struct seam_regs out;

	(void)state;
	fill_iommu_mt(h, 3);
	assert_int_equal(repeat(h, (struct seam_regs)SETUP(), &out), 3);
	assert_status(out.rax, TDX_SUCCESS);
	assert_int_equal(out.rcx, 1);
	assert_pages(h, 7, 1, 0, 0);

	assert_int_equal(repeat(h, (struct seam_regs){ .rax = TDH_IOMMU_CLEAR, .rcx = 1,
						       .rdx = OUT }, &out), 3);
	assert_status(out.rax, TDX_SUCCESS);
	assert_memory_equal(host_list(h, OUT), host_list(h, LIST), 4096);
	assert_pages(h, 0, 0, 0, 0);
	host_free(h);
}

/* A page named twice: nothing is kept. */
static void page_twice(void **state)
{
	const char *const args[] = { CONNECT, "iommu_mt_pages", "3", NULL };
	struct host *h = new_host(args);
	uint64_t before = host_digest(h);

	(void)state;
	fill_iommu_mt(h, 3);
	host_list(h, LIST)[4] = REGION_PG(0, 9);
	assert_status(call(h, (struct seam_regs)SETUP()).rax,
		      TDX_PAGE_METADATA_INCORRECT | OPERAND_RDX);
	assert_pages(h, 0, 0, 0, 0);
	assert_int_equal(host_digest(h), before);
	host_list(h, LIST)[4] = REGION_PG(0, 10);
	assert_status(call(h, (struct seam_regs)SETUP()).rax, TDX_SUCCESS);
	host_free(h);
}

static void page_locked_on_the_way(void **state)
{
	const char *const args[] = { CONNECT, "iommu_mt_pages", "3", "interrupt_every", "2", NULL };
	struct host *h = new_host(args);
	struct trylock *lock = &host_page(h, REGION_PG(0, 98))->lock;
	struct seam_regs out;

	(void)state;
	fill_iommu_mt(h, 3);
	assert_status(call(h, (struct seam_regs)SETUP()).rax, TDX_INTERRUPTED_RESUMABLE);
	lock_try_exclusive(lock);
	repeat(h, (struct seam_regs)SETUP(), &out);
	assert_status(out.rax, TDX_OPERAND_BUSY | OPERAND_RDX);
	lock_release(lock, LOCK_EXCLUSIVE);
	repeat(h, (struct seam_regs)SETUP(), &out);
	assert_status(out.rax, TDX_SUCCESS);

	lock_try_shared(lock);
	repeat(h, (struct seam_regs){ .rax = TDH_IOMMU_CLEAR, .rcx = 1, .rdx = OUT }, &out);
	assert_status(out.rax, TDX_OPERAND_BUSY | OPERAND_RCX);
	lock_release(lock, LOCK_SHARED);
	repeat(h, (struct seam_regs){ .rax = TDH_IOMMU_CLEAR, .rcx = 1, .rdx = OUT }, &out);
	assert_status(out.rax, TDX_SUCCESS);
	host_free(h);
}

/* One page: its address is the array, and no page is wanted for the answer. */
static void singleton(void **state)
{
	const char *const args[] = { CONNECT, "spdm_mt_pages", "1", NULL };
	struct seam_regs create = { .rax = TDH_SPDM_CREATE, .rcx = FUNC, .rdx = SPDM_PAGE };
	struct seam_regs delete = { .rax = TDH_SPDM_DELETE, .rcx = 1 };
	struct host *h = new_host(args);
	struct seam_regs out;

	(void)state;
	out = call(h, create);
	assert_status(out.rax, TDX_SUCCESS);
	assert_int_equal(out.rcx, 1);
	assert_int_equal(host_page(h, SPDM_PAGE)->type, PT_SPDM_MT);
	delete.rdx = OUT;
	assert_status(call(h, delete).rax, TDX_OPERAND_INVALID | OPERAND_RDX);
	delete.rdx = 0;
	out = call(h, delete);
	assert_status(out.rax, TDX_SUCCESS);
	assert_int_equal(out.rcx, SPDM_PAGE);
	assert_pages(h, 0, 0, 0, 0);
	host_free(h);
}

/* A list page where a singleton is wanted is taken for the page itself. */
static void list_as_singleton(void **state)
{
	const char *const args[] = { CONNECT, "spdm_mt_pages", "1", NULL };
	struct seam_regs create = { .rax = TDH_SPDM_CREATE, .rcx = FUNC, .rdx = LIST };
	struct host *h = new_host(args);

	(void)state;
	host_list(h, LIST)[0] = SPDM_PAGE;
	assert_status(call(h, create).rax, TDX_SUCCESS);
	assert_int_equal(host_page(h, LIST)->type, PT_SPDM_MT);
	assert_int_equal(host_page(h, SPDM_PAGE)->type, PT_NDA);

	/* So the host's next use of the list is found. */
	host_list(h, LIST)[0] = 0;
	call(h, (struct seam_regs){ .rax = TDH_SPDM_DELETE, .rcx = 1 });
	assert_string_equal(h->violation_rule, "host-write");
	assert_string_equal(h->violation_text,
			    "TDH.SPDM.DELETE finds that the host wrote to 0x600000, in a SPDM_MT page of the module");
	host_free(h);
}

static void session_and_streams(void **state)
{
	const char *const args[] = { CONNECT, "spdm_mt_pages", "2", "ide_mt_pages", "3", NULL };
	struct seam_regs ide = { .rax = TDH_IDE_STREAM_CREATE, .rcx = 0x100, .rdx = 1 };
	struct host *h = new_host(args);
	struct seam_regs out;

	(void)state;
	for (unsigned int i = 0; i < 16; i++)
		host_list(h, LIST)[i] = SPDM_PAGE + i * SZ_4K;
	out = call(h, (struct seam_regs){ .rax = TDH_SPDM_CREATE, .rcx = FUNC,
					  .rdx = ARRAY(LIST, 2) });
	assert_int_equal(out.rcx, 1);

	memmove(host_list(h, LIST), host_list(h, LIST) + 2, 14 * 8);
	ide.r8 = ARRAY(LIST, 3);
	out = call(h, ide);
	assert_status(out.rax, TDX_SUCCESS);
	assert_int_equal(out.rcx, 2);
	assert_int_equal(out.rdx, 2);
	memmove(host_list(h, LIST), host_list(h, LIST) + 3, 11 * 8);
	ide.rcx = 0x108;
	assert_int_equal(call(h, ide).rcx, 3);
	assert_pages(h, 8, 0, 1, 2);
	assert_int_equal(host_page(h, SPDM_PAGE + 5 * SZ_4K)->type, PT_IDE_MT);

	out = call(h, (struct seam_regs){ .rax = TDH_IDE_STREAM_DELETE, .rcx = 1, .rdx = 3,
					  .r8 = OUT });
	assert_status(out.rax, TDX_SUCCESS);
	assert_int_equal(out.rcx, ARRAY(OUT, 3));
	assert_memory_equal(host_list(h, OUT), host_list(h, LIST), 3 * 8);
	assert_status(call(h, (struct seam_regs){ .rax = TDH_SPDM_DELETE, .rcx = 1,
						  .rdx = OUT }).rax, TDX_OP_STATE_INCORRECT);
	out = call(h, (struct seam_regs){ .rax = TDH_IDE_STREAM_DELETE, .rcx = 1, .rdx = 2,
					  .r8 = OUT });
	assert_status(out.rax, TDX_SUCCESS);
	out = call(h, (struct seam_regs){ .rax = TDH_SPDM_DELETE, .rcx = 1, .rdx = OUT });
	assert_status(out.rax, TDX_SUCCESS);
	assert_int_equal(out.rcx, ARRAY(OUT, 2));
	assert_int_equal(host_list(h, OUT)[1], SPDM_PAGE + SZ_4K);
	assert_pages(h, 0, 0, 0, 0);
	assert_int_equal(h->nr_violations, 0);
	host_free(h);
}

/* A stream that could not be created does not hold its session. */
static void failed_stream(void **state)
{
	const char *const args[] = { CONNECT, "spdm_mt_pages", "1", "ide_mt_pages", "2", NULL };
	struct seam_regs ide = { .rax = TDH_IDE_STREAM_CREATE, .rdx = 1, .r8 = ARRAY(LIST, 2) };
	struct host *h = new_host(args);

	(void)state;
	call(h, (struct seam_regs){ .rax = TDH_SPDM_CREATE, .rcx = FUNC, .rdx = SPDM_PAGE });
	host_list(h, LIST)[0] = host_list(h, LIST)[1] = REGION_PG(0, 50);
	assert_status(call(h, ide).rax, TDX_PAGE_METADATA_INCORRECT | OPERAND_R8);
	assert_status(call(h, (struct seam_regs){ .rax = TDH_SPDM_DELETE, .rcx = 1 }).rax,
		      TDX_SUCCESS);
	assert_pages(h, 0, 0, 0, 0);
	host_free(h);
}

static void interrupted_stream(void **state)
{
	const char *const args[] = { CONNECT, "spdm_mt_pages", "1", "ide_mt_pages", "4",
				     "interrupt_every", "1", NULL };
	struct seam_regs ide = { .rax = TDH_IDE_STREAM_CREATE, .rdx = 1, .r8 = ARRAY(LIST, 4) };
	struct seam_regs delete = { .rax = TDH_IDE_STREAM_DELETE, .rcx = 1, .rdx = 2, .r8 = OUT };
	struct host *h = new_host(args);
	struct seam_regs out;

	(void)state;
	call(h, (struct seam_regs){ .rax = TDH_SPDM_CREATE, .rcx = FUNC, .rdx = SPDM_PAGE });
	for (unsigned int i = 0; i < 4; i++)
		host_list(h, LIST)[i] = REGION_PG(0, 50 + i);
	assert_status(call(h, ide).rax, TDX_INTERRUPTED_RESUMABLE);
	ide.r9 = 1;
	assert_status(call(h, ide).rax, TDX_INVALID_RESUMPTION);
	ide.r9 = 0;
	assert_int_equal(repeat(h, ide, &out), 2);
	assert_status(out.rax, TDX_SUCCESS);

	assert_status(call(h, delete).rax, TDX_INTERRUPTED_RESUMABLE);
	delete.rcx = 5;
	assert_status(call(h, delete).rax, TDX_INVALID_RESUMPTION);
	delete.rcx = 1;
	assert_int_equal(repeat(h, delete, &out), 2);
	assert_int_equal(out.rcx, ARRAY(OUT, 4));
	assert_pages(h, 1, 0, 1, 0);
	host_free(h);
}

static void no_memory(void **state)
{
	const char *const args[] = { CONNECT, "spdm_mt_pages", "1", NULL };
	struct seam_regs create = { .rax = TDH_SPDM_CREATE, .rcx = FUNC, .rdx = SPDM_PAGE };
	struct host *h = new_host(args);

	(void)state;
	host_fail_alloc(1);
	assert_status(call(h, create).rax, TDX_OPERAND_BUSY | OPERAND_RCX);
	assert_pages(h, 0, 0, 0, 0);
	assert_status(call(h, create).rax, TDX_SUCCESS);
	host_free(h);
}

static void metadata(void **state)
{
	static const struct {
		uint64_t id, value;
	} field[] = {
		{ 0x3000000100000001, 5 }, { 0x3000000100000002, 6 }, { 0x3000000100000003, 7 },
		{ 0x3000000100000007, 32 },
	};
	const char *const args[] = { CONNECT, "ide_mt_pages", "5", "spdm_mt_pages", "6",
				     "iommu_mt_pages", "7", NULL };
	struct host *h = new_host(args), *other = new_host(NULL);

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(field); i++) {
		struct seam_regs in = { .rax = TDH_SYS_RD, .rdx = field[i].id };

		assert_int_equal(call(h, in).r8, field[i].value);
		assert_status(call(other, in).rax, TDX_METADATA_FIELD_ID_INCORRECT);
	}
	host_free(h);
	host_free(other);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(iommu),
		cmocka_unit_test(largest_iommu),
		cmocka_unit_test(interrupted_iommu),
		cmocka_unit_test(page_twice),
		cmocka_unit_test(page_locked_on_the_way),
		cmocka_unit_test(singleton),
		cmocka_unit_test(list_as_singleton),
		cmocka_unit_test(session_and_streams),
		cmocka_unit_test(failed_stream),
		cmocka_unit_test(interrupted_stream),
		cmocka_unit_test(no_memory),
		cmocka_unit_test(metadata),
	};

	return cmocka_run_group_tests_name("connect_life", tests, NULL, NULL);
}
