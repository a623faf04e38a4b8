// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit tests for TDX Connect objects on a real TDX module, or one that passes
 * for it.  They are skipped where there is none.
 */
#include <kunit/test.h>
#include <linux/gfp.h>
#include <linux/mm.h>
#include <asm/tdx.h>

#include "../page_list.h"
#include "../tdx.h"

/* Metadata: how many pages an object takes */
#define MD_IDE_MT_PAGE_COUNT	0x3000000100000001ULL
#define MD_SPDM_MT_PAGE_COUNT	0x3000000100000002ULL
#define MD_IOMMU_MT_PAGE_COUNT	0x3000000100000003ULL

/* How often each object is created and deleted */
#define ROUNDS	1000

/* Bus 1, device 0, function 0, behind a root port at 00:01.0 */
#define FUNC_ID	0x100

static const struct tdx_ide_stream stream = { .info = 0x108 };

/* The registers of an IOMMU; nobody maps them. */
#define REG_BASE	0xfed90000ULL

/* An array and what its pages are listed in */
struct connect_pages {
	struct tdx_page_array	array;
	struct page		*pages[TDX_HPA_LIST_MAX_ENTRIES];
};

static int connect_test_init(struct kunit *test)
{
	const struct tdx_sys_info *sysinfo = tdx_get_sysinfo();

	if (!sysinfo)
		kunit_skip(test, "no TDX module");
	if (!(tdx_addon_features(sysinfo->features.tdx_features0) & TDX_FEATURES0_TDXCONNECT))
		kunit_skip(test, "the TDX module has no TDX Connect");

	test->priv = kunit_kzalloc(test, sizeof(struct connect_pages), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, test->priv);
	return 0;
}

static unsigned int page_count_of(struct kunit *test, u64 field_id)
{
	u64 nr = 0;

	KUNIT_ASSERT_EQ(test, read_sys_metadata_field(field_id, &nr), 0);
	KUNIT_ASSERT_LE(test, nr, TDX_HPA_LIST_MAX_ENTRIES);

	return nr;
}

/* @nr_single pages, behind @nr_blocks blocks of two. */
static struct tdx_page_array *alloc_array(struct kunit *test, struct connect_pages *mt,
					  unsigned int nr_blocks, unsigned int nr_single)
{
	for (unsigned int i = 0; i < nr_blocks + nr_single; i++) {
		mt->pages[i] = alloc_pages(GFP_KERNEL | __GFP_COMP, i < nr_blocks);
		KUNIT_ASSERT_NOT_NULL(test, mt->pages[i]);
	}
	KUNIT_ASSERT_EQ(test, tdx_page_array_init(&mt->array, mt->pages, nr_blocks + nr_single), 0);

	return &mt->array;
}

/* Pages of an object that was not created are the host's still. */
static void assert_created(struct kunit *test, u64 status, struct connect_pages *mt)
{
	if (status)
		tdx_page_array_free(&mt->array);
	KUNIT_ASSERT_EQ(test, status, TDX_SUCCESS);
}

static void spdm_session(struct kunit *test)
{
	unsigned int nr = page_count_of(test, MD_SPDM_MT_PAGE_COUNT);
	struct connect_pages *mt = test->priv;

	for (int round = 0; round < ROUNDS; round++) {
		u64 id;

		alloc_array(test, mt, 0, nr);
		assert_created(test, tdh_spdm_create(FUNC_ID, &mt->array, &id), mt);
		KUNIT_ASSERT_EQ(test, tdh_spdm_delete(id, &mt->array), TDX_SUCCESS);
	}
}

static void ide_streams_of(struct kunit *test, u64 spdm_id)
{
	unsigned int nr = page_count_of(test, MD_IDE_MT_PAGE_COUNT);
	struct connect_pages *mt = test->priv;
	u64 status = TDX_SUCCESS;

	for (int round = 0; round < ROUNDS && !status; round++) {
		u64 id, rp_ide_id;

		alloc_array(test, mt, 0, nr);
		status = tdh_ide_stream_create(spdm_id, &stream, &mt->array, &id, &rp_ide_id);
		if (status)
			tdx_page_array_free(&mt->array);
		else
			status = tdh_ide_stream_delete(spdm_id, id, &mt->array);
		KUNIT_EXPECT_EQ(test, status, TDX_SUCCESS);
	}
}

static void ide_stream(struct kunit *test)
{
	unsigned int nr = page_count_of(test, MD_SPDM_MT_PAGE_COUNT);
	struct connect_pages *spdm = kunit_kzalloc(test, sizeof(*spdm), GFP_KERNEL);
	u64 spdm_id;

	KUNIT_ASSERT_NOT_NULL(test, spdm);
	alloc_array(test, spdm, 0, nr);
	assert_created(test, tdh_spdm_create(FUNC_ID, &spdm->array, &spdm_id), spdm);
	ide_streams_of(test, spdm_id);
	KUNIT_EXPECT_EQ(test, tdh_spdm_delete(spdm_id, &spdm->array), TDX_SUCCESS);
}

static void trusted_iommu(struct kunit *test)
{
	unsigned int nr = page_count_of(test, MD_IOMMU_MT_PAGE_COUNT);
	struct connect_pages *mt = test->priv;

	for (int round = 0; round < ROUNDS; round++) {
		u64 id;

		alloc_array(test, mt, 2, nr);
		assert_created(test, tdh_iommu_setup(REG_BASE, &mt->array, &id), mt);
		KUNIT_ASSERT_EQ(test, tdh_iommu_clear(id, &mt->array), TDX_SUCCESS);
	}
}

static struct kunit_case connect_test_cases[] = {
	KUNIT_CASE_SLOW(spdm_session),
	KUNIT_CASE_SLOW(ide_stream),
	KUNIT_CASE_SLOW(trusted_iommu),
	{}
};

static struct kunit_suite connect_test_suite = {
	.name = "tdx-connect",
	.init = connect_test_init,
	.test_cases = connect_test_cases,
};

kunit_test_suite(connect_test_suite);
