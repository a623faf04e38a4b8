// SPDX-License-Identifier: GPL-2.0
/*
 * The tests' own library, as far as it needs no TDX: measurements against values
 * that others published or computed, and the reading of ELF files.
 */
#include <linux/elf.h>
#include "lib/test.h"

static void to_hex(const u8 digest[SHA384_SIZE], char hex[2 * SHA384_SIZE + 1])
{
	for (int i = 0; i < SHA384_SIZE; i++)
		sprintf(hex + 2 * i, "%02x", digest[i]);
}

/* From FIPS 180-4's example documents and NIST's test vectors. */
static const char of_nothing[] =
"38b060a751ac96384cd9327eb1b1e36a21fdb71114be07434c0cc7bf63f6e1da274edebfe76f65fbd51ad2f14898b95b";
static const char of_abc[] =
"cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed8086072ba1e7cc2358baeca134c825a7";
static const char of_two_blocks[] =
"09330c33f71147e83d192fc782cd1b4753111b173b3b05d22fa08086e3b0f712fcc7c71a557e2db966c3e9fa91746039";
static const char of_million_a[] =
"9d0e1809716474cb086e834e310a4a1ced149e9c00f248527972cec5704c2a5b07b8b3dc38ecc4ebae97ddd87f3d8985";

/* abcdefgh, bcdefghi, and so on, up to nopqrstu: 112 bytes, which take two blocks. */
static char two_blocks[14 * 8 + 1];

static const struct {
	const char *text;
	unsigned int repeat;
	const char *digest;
} vectors[] = {
	{ "", 1, of_nothing },
	{ "abc", 1, of_abc },
	{ two_blocks, 1, of_two_blocks },
	{ "a", 1000000, of_million_a },
};

TEST(sha384_vectors)
{
	for (int i = 0; i < 14 * 8; i++)
		two_blocks[i] = 'a' + i / 8 + i % 8;

	for (size_t i = 0; i < ARRAY_SIZE(vectors); i++) {
		char hex[2 * SHA384_SIZE + 1];
		u8 digest[SHA384_SIZE];
		struct sha384 ctx;

		sha384_init(&ctx);
		for (unsigned int n = 0; n < vectors[i].repeat; n++)
			sha384_update(&ctx, vectors[i].text, strlen(vectors[i].text));
		sha384_final(&ctx, digest);
		to_hex(digest, hex);
		EXPECT_STREQ(vectors[i].digest, hex);
	}
}

/* This and those below were computed with Python's hashlib. */
static const char of_all_lengths[] =
"cd5cf8091fa36457eb777c13e082fb9035035543e0b51493d4e8558f2b7dd70d6c472290038224c9e8e5d51d209079aa";

/* The digest over the digests of the first 0 to 300 bytes of a pattern. */
TEST(sha384_all_lengths)
{
	char hex[2 * SHA384_SIZE + 1];
	u8 data[300], digest[SHA384_SIZE];
	struct sha384 all;

	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = i * 31 + 5;
	sha384_init(&all);
	for (size_t len = 0; len <= sizeof(data); len++) {
		sha384(data, len, digest);
		sha384_update(&all, digest, sizeof(digest));
	}
	sha384_final(&all, digest);
	to_hex(digest, hex);
	EXPECT_STREQ(of_all_lengths, hex);
}

/* In two parts, cut anywhere, it is the same as in one. */
TEST(sha384_parts)
{
	u8 data[300], whole[SHA384_SIZE], parts[SHA384_SIZE];

	memset(data, 0x5a, sizeof(data));
	sha384(data, sizeof(data), whole);
	for (size_t cut = 0; cut <= sizeof(data); cut++) {
		struct sha384 ctx;

		sha384_init(&ctx);
		sha384_update(&ctx, data, cut);
		sha384_update(&ctx, data + cut, sizeof(data) - cut);
		sha384_final(&ctx, parts);
		ASSERT_EQ(0, memcmp(whole, parts, sizeof(whole))) {
			TH_LOG("cut at %zu", cut);
		}
	}
}

static const char of_construction[] =
"bf42e48dba54a1b5198c07788f760a73da95464262d1d0d6112f09a47f0295bb38fb8bf6d44b53d4d1625eedad48b05f";

/* One page that is only added and one that is measured. */
TEST(mrtd)
{
	char hex[2 * SHA384_SIZE + 1];
	u8 page[4096], digest[SHA384_SIZE];
	struct mrtd log;

	for (size_t i = 0; i < sizeof(page); i++)
		page[i] = i * 7 + (i >> 8);
	mrtd_init(&log);
	mrtd_add_page(&log, 0x1000);
	mrtd_add_page(&log, 0xfffff000);
	mrtd_extend_page(&log, 0xfffff000, page);
	mrtd_final(&log, digest);
	to_hex(digest, hex);
	EXPECT_STREQ(of_construction, hex);
}

static const char of_two_extensions[] =
"1d705044a644a02fc6c311628e54a2c20dde1064440733b7c2ac635f207c3cbaa857e5b809badd46cb6eac170a448fa5";

TEST(rtmr)
{
	u8 rtmr[SHA384_SIZE] = { 0 }, up[SHA384_SIZE], down[SHA384_SIZE];
	char hex[2 * SHA384_SIZE + 1];

	for (int i = 0; i < SHA384_SIZE; i++) {
		up[i] = i;
		down[i] = 255 - i;
	}
	rtmr_extend(rtmr, up);
	rtmr_extend(rtmr, down);
	to_hex(rtmr, hex);
	EXPECT_STREQ(of_two_extensions, hex);
}

#define IMAGE_BASE		0xffff0000UL
#define IMAGE_OFFSET		0x200

/* A file with one segment of a page and a half in memory, half a page in the file. */
struct small_elf {
	struct elf64_hdr eh;
	struct elf64_phdr ph[1];
	u8 gap[IMAGE_OFFSET - sizeof(struct elf64_hdr) - sizeof(struct elf64_phdr)];
	u8 content[2048];
};

static void init_elf(struct small_elf *elf)
{
	memset(elf, 0, sizeof(*elf));
	memcpy(elf->eh.e_ident, ELFMAG, SELFMAG);
	elf->eh.e_ident[EI_CLASS] = ELFCLASS64;
	elf->eh.e_machine = EM_X86_64;
	elf->eh.e_phoff = offsetof(struct small_elf, ph);
	elf->eh.e_phentsize = sizeof(elf->ph[0]);
	elf->eh.e_phnum = 1;
	elf->ph[0].p_type = PT_LOAD;
	elf->ph[0].p_offset = IMAGE_OFFSET;
	elf->ph[0].p_vaddr = IMAGE_BASE + 16;
	elf->ph[0].p_filesz = sizeof(elf->content);
	elf->ph[0].p_memsz = 6144;
	memset(elf->content, 0xc3, sizeof(elf->content));
}

/* Pages with content are measured and padded with zeroes; the others are not. */
TEST(image)
{
	struct small_elf elf;
	struct td_image image;
	struct td_region *r = image.regions;

	init_elf(&elf);
	ASSERT_EQ(0, td_image_from_elf(&image, &elf, sizeof(elf)));
	ASSERT_EQ(2, image.nr_regions);
	EXPECT_EQ(IMAGE_BASE, td_image_start(&image));

	EXPECT_EQ(IMAGE_BASE, r[0].gpa);
	EXPECT_EQ(4096, r[0].size);
	EXPECT_TRUE(r[0].measured);
	EXPECT_EQ(0, r[0].data[15]);
	EXPECT_EQ(0xc3, r[0].data[16]);
	EXPECT_EQ(0xc3, r[0].data[16 + 2047]);
	EXPECT_EQ(0, r[0].data[16 + 2048]);

	EXPECT_EQ(IMAGE_BASE + 4096, r[1].gpa);
	EXPECT_EQ(4096, r[1].size);
	EXPECT_FALSE(r[1].measured);
	td_image_free(&image);
}

TEST(image_refused)
{
	struct small_elf elf;
	struct td_image image;

	init_elf(&elf);
	EXPECT_EQ(-EINVAL, td_image_from_elf(&image, &elf, sizeof(elf.eh) - 1));
	EXPECT_EQ(-EINVAL, td_image_from_elf(&image, &elf, sizeof(elf.eh)));
	EXPECT_EQ(-EINVAL, td_image_from_elf(&image, &elf, sizeof(elf) - 1));

	elf.eh.e_machine = EM_386;
	EXPECT_EQ(-EINVAL, td_image_from_elf(&image, &elf, sizeof(elf)));
	init_elf(&elf);
	elf.eh.e_phoff = sizeof(elf) + 1;
	EXPECT_EQ(-EINVAL, td_image_from_elf(&image, &elf, sizeof(elf)));
	init_elf(&elf);
	elf.eh.e_phnum = 0;
	EXPECT_EQ(-EINVAL, td_image_from_elf(&image, &elf, sizeof(elf)));
	init_elf(&elf);
	elf.ph[0].p_offset = ~0UL;
	EXPECT_EQ(-EINVAL, td_image_from_elf(&image, &elf, sizeof(elf)));
	init_elf(&elf);
	elf.ph[0].p_filesz = elf.ph[0].p_memsz + 1;
	EXPECT_EQ(-EINVAL, td_image_from_elf(&image, &elf, sizeof(elf)));
	init_elf(&elf);
	elf.ph[0].p_vaddr = (4UL << 30) - 4096;
	EXPECT_EQ(-EINVAL, td_image_from_elf(&image, &elf, sizeof(elf)));
	EXPECT_EQ(-ENOENT, td_image_from_file(&image, "/nonexistent"));
}

/* The payload fills its pages up to the reset vector. */
TEST(builtin_image)
{
	struct td_image image;
	u64 end = 0;

	ASSERT_EQ(0, td_image_builtin(&image));
	for (unsigned int i = 0; i < image.nr_regions; i++)
		if (image.regions[i].gpa + image.regions[i].size > end)
			end = image.regions[i].gpa + image.regions[i].size;
	EXPECT_EQ(4UL << 30, end);
	td_image_free(&image);
}

TEST_HARNESS_MAIN
