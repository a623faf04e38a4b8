// SPDX-License-Identifier: GPL-2.0-only
/*
 * Checks the kernel's encoders of page lists in user space, with the kernel's own
 * headers: for each of the 2^32 counts, and for all addresses that differ from no
 * bits or from all bits in 16 neighbouring ones.
 *
 * What is expected is taken apart with shifts instead of put together with the
 * kernel's masks, so that a wrong mask cannot hide.
 */
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "page_array.h"
#include "page_list.h"

#define LIST_PA	0x0007654321fed000ULL
#define PAGE_PA	0x000123456789a000ULL

#define WINDOW	16

static void fail(const char *what, uint64_t address, uint64_t count, uint64_t operand)
{
	printf("%s: address %016" PRIx64 ", count %" PRIu64 ": operand %016" PRIx64 "\n",
	       what, address, count, operand);
	exit(1);
}

/* Is @operand the list at @pa with @count entries, and nothing else? */
static bool names_list(uint64_t operand, uint64_t pa, uint32_t count)
{
	bool address = operand << 12 >> 24 == pa >> 12;
	bool reserved = !(operand & 0xfff) && !(operand >> 52 & 7);

	return address && reserved && (operand >> 55) + 1 == count;
}

static bool address_ok(uint64_t pa)
{
	return pa % 4096 == 0 && pa >> 52 == 0;
}

static void check_list_info(uint64_t pa, uint32_t count)
{
	uint64_t operand = (uint64_t)tdx_hpa_list_info(pa, count);
	bool ok = address_ok(pa) && count >= 1 && count <= 512;

	if (ok ? !names_list(operand, pa, count) : operand != 0)
		fail("HPA_LIST_INFO", pa, count, operand);
}

static void check_array(uint64_t list_pa, uint64_t page_pa, uint32_t count)
{
	uint64_t operand = (uint64_t)tdx_encode_hpa_array(list_pa, page_pa, count);
	bool ok = address_ok(list_pa) && address_ok(page_pa) && count >= 1 && count <= 512;

	if (!ok ? operand != 0 :
	    count == 1 ? operand != page_pa : !names_list(operand, list_pa, count))
		fail("HPA_ARRAY_T", list_pa, count, operand);
}

static void check_iommu_mt(uint64_t pa)
{
	uint64_t operand = (uint64_t)tdx_encode_iommu_mt(pa);

	if (operand != (address_ok(pa) ? pa : 0))
		fail("IOMMU_MT", pa, 0, operand);
}

static void check_address(uint64_t pa)
{
	static const uint32_t counts[] = { 0, 1, 2, 3, 255, 256, 257, 511, 512, 513 };

	check_iommu_mt(pa);
	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
		check_list_info(pa, counts[i]);
		check_array(pa, PAGE_PA, counts[i]);
		check_array(LIST_PA, pa, counts[i]);
	}
}

static uint64_t check_addresses(void)
{
	uint64_t checked = 0;

	for (unsigned int low = 0; low + WINDOW <= 64; low++) {
		uint64_t window = ((1ULL << WINDOW) - 1) << low;

		for (uint64_t bits = 0; bits < 1ULL << WINDOW; bits++) {
			check_address(bits << low);
			check_address(bits << low | ~window);
			check_address(bits << low | (~window & 0x000ffffffffff000ULL));
			checked += 3;
		}
	}
	return checked;
}

int main(void)
{
	uint32_t count = 0;

	do {
		check_list_info(LIST_PA, count);
		check_array(LIST_PA, PAGE_PA, count);
	} while (++count);

	printf("4294967296 counts, %" PRIu64 " addresses\n", check_addresses());
	return 0;
}
