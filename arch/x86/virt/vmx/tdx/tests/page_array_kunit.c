// SPDX-License-Identifier: GPL-2.0
/* KUnit tests for arrays of pages, and for the objects that are created from them. */
#include <kunit/static_stub.h>
#include <kunit/test.h>
#include <kunit/test-bug.h>
#include <linux/gfp.h>
#include <linux/io.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <asm/shared/tdx_errno.h>
#include <asm/tdx.h>

#include "../page_array.h"
#include "../tdx.h"
#include "fake_seam.h"

#define OBJECT_ID	0x600d1dULL
#define FUNC_ID		0x1010203
#define SPDM_ID		0x5bd3
#define REG_BASE	0xfed90000ULL

/* The array of the current test, what it should be, and what became of it */
static struct {
	struct tdx_page_array	array;
	struct page		*pages[512];
	unsigned int		nr_entries;
	/* Script of the fake */
	unsigned int		steps;
	bool			no_list;
	unsigned int		fail_wbinvd_at;
	/* Kept by the fake */
	unsigned int		nr_lists;
	unsigned int		nr_wbinvd;
	unsigned long		nr_pamt;
	bool			wrong;
} fake;

static struct tdx_hpa_list *fake_list_alloc(void)
{
	if (fake.no_list)
		return NULL;

	fake.nr_lists++;
	return kzalloc_obj(struct tdx_hpa_list);
}

static void fake_list_free(struct tdx_hpa_list *list)
{
	fake.nr_lists -= !!list;
	kfree(list);
}

/* The test gets pages back that the array leaks.  Their PAMT must not be the real one. */
static int fake_pamt_get(unsigned long pfn, unsigned long nr_pages)
{
	fake.nr_pamt += nr_pages;
	return 0;
}

static void fake_pamt_put(unsigned long pfn, unsigned long nr_pages)
{
	fake.nr_pamt -= nr_pages;
}

static u64 fake_wbinvd(struct page *page)
{
	if (++fake.nr_wbinvd == fake.fail_wbinvd_at)
		return TDX_OPERAND_BUSY;

	return TDX_SUCCESS;
}

/* Does @operand name the pages of the test, as HPA_ARRAY_T or IOMMU_MT? */
static bool names_pages(u64 operand, bool iommu)
{
	const struct tdx_hpa_list *list = __va(operand & TDX_HPA_PFN);

	if (!iommu && fake.nr_entries == 1)
		return operand == page_to_phys(fake.pages[0]);

	if (!iommu && operand >> 55 != fake.nr_entries - 1)
		return false;

	for (unsigned int i = 0; i < fake.nr_entries; i++) {
		if (list->phys[i] != (page_to_phys(fake.pages[i]) | (iommu && i < 2 ? 2 : 0)))
			return false;
	}

	return !(operand & (iommu ? ~TDX_HPA_PFN : ~(TDX_HPA_PFN | TDX_HPA_ARRAY_LAST_ENTRY)));
}

/* The module writes something that nobody should read into the list. */
static void release_pages_to(u64 operand, bool iommu)
{
	if (!iommu && fake.nr_entries == 1)
		fake.wrong |= operand;
	else if (operand & ~TDX_HPA_PFN || !operand)
		fake.wrong = true;
	else
		memset(__va(operand), 0xa1, PAGE_SIZE);
}

static u64 fake_object_leaf(struct fake_seam *seam, u64 fn, struct tdx_module_args *args)
{
	struct tdx_module_args in = *args;

	fake_seam_poison(args);
	while (fake.steps) {
		fake.steps--;
		if (fake_seam_interrupts(seam))
			return TDX_INTERRUPTED_RESUMABLE;
	}

	switch (fn) {
	case TDH_IOMMU_SETUP:
		fake.wrong |= in.rcx != REG_BASE || !names_pages(in.rdx, true);
		break;
	case TDH_SPDM_CREATE:
		fake.wrong |= in.rcx != FUNC_ID || !names_pages(in.rdx, false);
		break;
	case TDH_IDE_STREAM_CREATE:
		fake.wrong |= in.rdx != SPDM_ID || !names_pages(in.r8, false);
		break;
	case TDH_IOMMU_CLEAR:
		fake.wrong |= in.rcx != OBJECT_ID;
		release_pages_to(in.rdx, true);
		break;
	case TDH_SPDM_DELETE:
		fake.wrong |= in.rcx != OBJECT_ID;
		release_pages_to(in.rdx, false);
		break;
	case TDH_IDE_STREAM_DELETE:
		fake.wrong |= in.rcx != SPDM_ID || in.rdx != OBJECT_ID;
		release_pages_to(in.r8, false);
		break;
	default:
		fake.wrong = true;
	}

	args->rcx = OBJECT_ID;
	return TDX_SUCCESS;
}

static u64 create_iommu(void)
{
	u64 id = 0, ret = tdh_iommu_setup(REG_BASE, &fake.array, &id);

	fake.wrong |= !ret && id != OBJECT_ID;
	return ret;
}

static u64 delete_iommu(void)
{
	return tdh_iommu_clear(OBJECT_ID, &fake.array);
}

static u64 create_spdm(void)
{
	u64 id = 0, ret = tdh_spdm_create(FUNC_ID, &fake.array, &id);

	fake.wrong |= !ret && id != OBJECT_ID;
	return ret;
}

static u64 delete_spdm(void)
{
	return tdh_spdm_delete(OBJECT_ID, &fake.array);
}

static const struct tdx_ide_stream stream = {
	.info = 0x108, .ctrl = 0x31,
	.rid_assoc = { 0x41, 0x42 }, .addr_assoc = { 0x51, 0x52, 0x53 },
};

static u64 create_ide(void)
{
	u64 id = 0, rp_ide_id = 0, ret;

	ret = tdh_ide_stream_create(SPDM_ID, &stream, &fake.array, &id, &rp_ide_id);
	fake.wrong |= !ret && (id != OBJECT_ID || rp_ide_id != FAKE_SEAM_POISON);
	return ret;
}

static u64 delete_ide(void)
{
	return tdh_ide_stream_delete(SPDM_ID, OBJECT_ID, &fake.array);
}

/* The objects that there are. */
static const struct object {
	u64		(*create)(void);
	u64		(*delete)(void);
	unsigned int	nr_blocks;
} objects[] = {
	{ create_iommu, delete_iommu, 2 },
	{ create_spdm, delete_spdm, 0 },
	{ create_ide, delete_ide, 0 },
};

static const unsigned int counts[] = { 1, 2, 3, 511, 512 };

static unsigned int order_of(unsigned int entry, unsigned int nr_blocks)
{
	return entry < nr_blocks;
}

/* Allocate pages with a reference of the test's own, to see who frees them. */
static void alloc_pages_for(struct kunit *test, unsigned int nr_entries, unsigned int nr_blocks)
{
	memset(&fake, 0, sizeof(fake));
	kunit_activate_static_stub(test, tdx_hpa_list_alloc, fake_list_alloc);
	kunit_activate_static_stub(test, tdx_hpa_list_free, fake_list_free);
	kunit_activate_static_stub(test, tdx_pamt_get_pages, fake_pamt_get);
	kunit_activate_static_stub(test, tdx_pamt_put_pages, fake_pamt_put);
	kunit_activate_static_stub(test, tdh_phymem_page_wbinvd_global, fake_wbinvd);

	for (unsigned int i = 0; i < nr_entries; i++) {
		fake.pages[i] = alloc_pages(GFP_KERNEL | __GFP_COMP, order_of(i, nr_blocks));
		KUNIT_ASSERT_NOT_NULL(test, fake.pages[i]);
		get_page(fake.pages[i]);
		fake.nr_entries++;
	}
}

static struct fake_seam *set_up(struct kunit *test, unsigned int nr_entries,
				unsigned int nr_blocks)
{
	alloc_pages_for(test, nr_entries, nr_blocks);
	KUNIT_ASSERT_EQ(test, tdx_page_array_init(&fake.array, fake.pages, nr_entries), 0);

	return fake_seam_install(test, fake_object_leaf);
}

/*
 * Drop the test's references, and those that @nr_leaked entries still have,
 * with their PAMT.
 */
static void tear_down(struct kunit *test, unsigned int nr_leaked)
{
	unsigned long nr_pamt = 0;
	unsigned int nr = 0;

	for (unsigned int i = 0; i < fake.nr_entries; i++) {
		if (page_count(fake.pages[i]) == 2) {
			nr_pamt += compound_nr(fake.pages[i]);
			put_page(fake.pages[i]);
			nr++;
		}
		put_page(fake.pages[i]);
	}
	KUNIT_EXPECT_EQ(test, nr, nr_leaked);
	KUNIT_EXPECT_EQ(test, fake.nr_pamt, nr_pamt);
	KUNIT_EXPECT_EQ(test, fake.nr_lists, 0);
	KUNIT_EXPECT_NULL(test, fake.array.list);
	KUNIT_EXPECT_EQ(test, fake.array.nr_entries, 0);
	KUNIT_EXPECT_FALSE(test, fake.wrong);
}

static void free_and_tear_down(struct kunit *test)
{
	tdx_page_array_free(&fake.array);
	tear_down(test, 0);
}

static void counts_that_do_not_fit(struct kunit *test)
{
	static const unsigned int bad[] = { 0, 513, 12800, UINT_MAX };

	alloc_pages_for(test, 1, 0);
	for (int i = 0; i < ARRAY_SIZE(bad); i++) {
		KUNIT_EXPECT_EQ(test, tdx_page_array_init(&fake.array, fake.pages, bad[i]),
				-EINVAL);
	}

	__free_page(fake.pages[0]);
	tear_down(test, 0);
}

static void no_memory_for_the_list(struct kunit *test)
{
	alloc_pages_for(test, 2, 0);
	fake.no_list = true;
	KUNIT_EXPECT_EQ(test, tdx_page_array_init(&fake.array, fake.pages, 2), -ENOMEM);

	/* The pages are the caller's still, and have no PAMT. */
	for (unsigned int i = 0; i < fake.nr_entries; i++)
		__free_page(fake.pages[i]);
	tear_down(test, 0);
}

static void single_page_needs_no_list(struct kunit *test)
{
	set_up(test, 1, 0);
	KUNIT_EXPECT_EQ(test, (__force u64)tdx_page_array_hpa_array(&fake.array),
			page_to_phys(fake.pages[0]));
	KUNIT_EXPECT_EQ(test, (__force u64)tdx_page_array_out(&fake.array), 0);
	free_and_tear_down(test);
}

static void formats_refuse_other_layouts(struct kunit *test)
{
	static const struct {
		unsigned int nr_entries, nr_blocks;
		bool hpa_array, iommu_mt;
	} layouts[] = {
		{ 1, 0, true, false }, { 2, 0, true, false }, { 512, 0, true, false },
		{ 1, 1, false, false }, { 2, 1, false, false }, { 512, 1, false, false },
		{ 2, 2, false, true }, { 3, 2, false, true }, { 512, 2, false, true },
		{ 3, 3, false, false },
	};

	for (int i = 0; i < ARRAY_SIZE(layouts); i++) {
		set_up(test, layouts[i].nr_entries, layouts[i].nr_blocks);
		KUNIT_EXPECT_EQ(test, !!(__force u64)tdx_page_array_hpa_array(&fake.array),
				layouts[i].hpa_array);
		KUNIT_EXPECT_EQ(test, !!(__force u64)tdx_page_array_iommu_mt(&fake.array),
				layouts[i].iommu_mt);
		free_and_tear_down(test);
	}
}

static void empty_array(struct kunit *test)
{
	memset(&fake, 0, sizeof(fake));
	KUNIT_EXPECT_EQ(test, (__force u64)tdx_page_array_hpa_array(&fake.array), 0);
	KUNIT_EXPECT_EQ(test, (__force u64)tdx_page_array_iommu_mt(&fake.array), 0);
	KUNIT_EXPECT_EQ(test, (__force u64)tdx_page_array_out(&fake.array), 0);
	free_and_tear_down(test);
}

/* The module never saw the pages, so there is nothing to write back. */
static void unused_pages_are_just_freed(struct kunit *test)
{
	set_up(test, 512, 2);
	free_and_tear_down(test);
	KUNIT_EXPECT_EQ(test, fake.nr_wbinvd, 0);
}

/* Call @check for each object, with each number of pages that it can have. */
static void check_all_objects(struct kunit *test,
			      void (*check)(struct kunit *test, const struct object *object,
					    unsigned int nr_entries))
{
	for (int i = 0; i < ARRAY_SIZE(objects); i++) {
		for (int j = 0; j < ARRAY_SIZE(counts); j++) {
			if (counts[j] >= objects[i].nr_blocks)
				check(test, &objects[i], counts[j]);
		}
	}
}

static void check_life(struct kunit *test, const struct object *object, unsigned int nr_entries)
{
	struct fake_seam *seam = set_up(test, nr_entries, object->nr_blocks);

	KUNIT_EXPECT_EQ(test, object->create(), TDX_SUCCESS);
	KUNIT_EXPECT_EQ(test, fake.nr_wbinvd, 0);
	KUNIT_EXPECT_EQ(test, object->delete(), TDX_SUCCESS);
	KUNIT_EXPECT_EQ(test, fake.nr_wbinvd, nr_entries + object->nr_blocks);
	KUNIT_EXPECT_EQ(test, seam->nr_calls, 2);
	tear_down(test, 0);
}

static void deletion_frees_all_pages(struct kunit *test)
{
	check_all_objects(test, check_life);
}

static void check_interrupts(struct kunit *test, const struct object *object,
			     unsigned int nr_entries)
{
	struct fake_seam *seam = set_up(test, nr_entries, object->nr_blocks);

	seam->interrupt_all = true;
	fake.steps = 5;
	KUNIT_EXPECT_EQ(test, object->create(), TDX_SUCCESS);
	fake.steps = 5;
	KUNIT_EXPECT_EQ(test, object->delete(), TDX_SUCCESS);
	KUNIT_EXPECT_EQ(test, seam->nr_calls, 12);
	KUNIT_EXPECT_EQ(test, fake.nr_wbinvd, nr_entries + object->nr_blocks);
	tear_down(test, 0);
}

static void interrupted_calls_get_the_same_operands(struct kunit *test)
{
	check_all_objects(test, check_interrupts);
}

static void check_create_fails(struct kunit *test, const struct object *object,
			       unsigned int nr_entries)
{
	struct fake_seam *seam = set_up(test, nr_entries, object->nr_blocks);

	seam->fail_at = 1;
	seam->fail_with = TDX_OPERAND_INVALID | TDX_OPERAND_ID_RCX;
	KUNIT_EXPECT_EQ(test, object->create(), seam->fail_with);

	/* The array can be used again, and is the caller's until then. */
	KUNIT_EXPECT_EQ(test, object->create(), TDX_SUCCESS);
	KUNIT_EXPECT_EQ(test, object->delete(), TDX_SUCCESS);
	tear_down(test, 0);
}

static void failed_creation_keeps_the_pages(struct kunit *test)
{
	check_all_objects(test, check_create_fails);
}

static void check_delete_fails(struct kunit *test, const struct object *object,
			       unsigned int nr_entries)
{
	struct fake_seam *seam = set_up(test, nr_entries, object->nr_blocks);

	seam->fail_at = 2;
	seam->fail_with = TDX_OPERAND_BUSY;
	KUNIT_EXPECT_EQ(test, object->create(), TDX_SUCCESS);
	kunit_warning_suppress(test) {
		KUNIT_EXPECT_EQ(test, object->delete(), seam->fail_with);
		KUNIT_EXPECT_SUPPRESSED_WARNING_COUNT(test, 1);
	}
	KUNIT_EXPECT_EQ(test, fake.nr_wbinvd, 0);
	tear_down(test, nr_entries);
}

static void failed_deletion_leaks_and_warns_once(struct kunit *test)
{
	check_all_objects(test, check_delete_fails);
}

/* Only the block that cannot be written back is lost. */
static void failed_write_back_leaks_one_block(struct kunit *test)
{
	for (unsigned int at = 1; at <= 2 + 2 + 3; at++) {
		set_up(test, 5, 2);
		fake.fail_wbinvd_at = at;
		KUNIT_EXPECT_EQ(test, create_iommu(), TDX_SUCCESS);
		kunit_warning_suppress(test) {
			KUNIT_EXPECT_EQ(test, delete_iommu(), TDX_SUCCESS);
			KUNIT_EXPECT_SUPPRESSED_WARNING_COUNT(test, 1);
		}
		tear_down(test, 1);
	}
}

static void ide_stream_uses_all_registers(struct kunit *test)
{
	struct fake_seam *seam = set_up(test, 1, 0);
	const struct tdx_module_args expected = {
		.rcx = 0x108, .rdx = SPDM_ID, .r8 = page_to_phys(fake.pages[0]), .r9 = 0x31,
		.r10 = 0x41, .r11 = 0x42, .r12 = 0x51, .r13 = 0x52, .r14 = 0x53,
	};

	KUNIT_EXPECT_EQ(test, create_ide(), TDX_SUCCESS);
	KUNIT_EXPECT_MEMEQ(test, &seam->in[0], &expected, sizeof(expected));
	KUNIT_EXPECT_EQ(test, delete_ide(), TDX_SUCCESS);
	tear_down(test, 0);
}

static struct kunit_case page_array_test_cases[] = {
	KUNIT_CASE(counts_that_do_not_fit),
	KUNIT_CASE(no_memory_for_the_list),
	KUNIT_CASE(single_page_needs_no_list),
	KUNIT_CASE(formats_refuse_other_layouts),
	KUNIT_CASE(empty_array),
	KUNIT_CASE(unused_pages_are_just_freed),
	KUNIT_CASE(deletion_frees_all_pages),
	KUNIT_CASE(interrupted_calls_get_the_same_operands),
	KUNIT_CASE(failed_creation_keeps_the_pages),
	KUNIT_CASE(failed_deletion_leaks_and_warns_once),
	KUNIT_CASE(failed_write_back_leaks_one_block),
	KUNIT_CASE(ide_stream_uses_all_registers),
	{}
};

static struct kunit_suite page_array_test_suite = {
	.name = "tdx-page-array",
	.test_cases = page_array_test_cases,
};

kunit_test_suite(page_array_test_suite);
