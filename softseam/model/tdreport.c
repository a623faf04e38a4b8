// SPDX-License-Identifier: GPL-2.0-only
#include <nettle/hmac.h>
#include <nettle/sha2.h>
#include <string.h>

#include "leaves.h"
#include "tdreport.h"

/* All of TEE_TCB_INFO's fields up to ATTRIBUTES hold something. */
#define TCB_INFO_VALID		0x301FFULL

#define KEY_LABEL	"softseam: key of the platform's reports"
#define MODULE_LABEL	"softseam"

static void sha384(const void *data, size_t len, uint8_t hash[SHA384_BYTES])
{
	struct sha384_ctx ctx;

	sha384_init(&ctx);
	sha384_update(&ctx, len, data);
	sha384_digest(&ctx, SHA384_BYTES, hash);
}

/* Not a secret, but different where the seed is. */
static void platform_key(const struct seam *s, uint8_t key[SHA256_DIGEST_SIZE])
{
	struct sha256_ctx ctx;

	sha256_init(&ctx);
	sha256_update(&ctx, sizeof(KEY_LABEL), (const uint8_t *)KEY_LABEL);
	sha256_update(&ctx, sizeof(s->cfg.seed), (const uint8_t *)&s->cfg.seed);
	sha256_digest(&ctx, SHA256_DIGEST_SIZE, key);
}

static void sign(const struct seam *s, struct report_mac *mac)
{
	uint8_t key[SHA256_DIGEST_SIZE];
	struct hmac_sha256_ctx ctx;

	platform_key(s, key);
	hmac_sha256_set_key(&ctx, sizeof(key), key);
	hmac_sha256_update(&ctx, offsetof(struct report_mac, mac), (const uint8_t *)mac);
	hmac_sha256_digest(&ctx, sizeof(mac->mac), mac->mac);
}

/* This module is measured by what it is called: it has no binary that is loaded. */
static void fill_tcb(const struct seam *s, struct report_tcb_info *tcb)
{
	char name[64];
	int len = snprintf(name, sizeof(name), "%s %u.%u.%u", MODULE_LABEL, s->cfg.major,
			   s->cfg.minor, s->cfg.update);

	tcb->valid = TCB_INFO_VALID;
	tcb->svn[0] = (uint8_t)s->cfg.update;
	tcb->svn[1] = (uint8_t)s->cfg.major;
	sha384(name, (size_t)len, tcb->mr_seam);
}

static void fill_td(const struct td *td, struct report_td_info *info)
{
	const struct td_params *p = &td->params;

	info->attributes = p->attributes;
	info->xfam = p->xfam;
	memcpy(info->mrtd, td->mrtd, sizeof(info->mrtd));
	memcpy(info->mrconfigid, p->mrconfigid, sizeof(info->mrconfigid));
	memcpy(info->mrowner, p->mrowner, sizeof(info->mrowner));
	memcpy(info->mrownerconfig, p->mrownerconfig, sizeof(info->mrownerconfig));
	memcpy(info->rtmr, td->rtmr, sizeof(info->rtmr));
}

void report_fill(const struct td *td, const uint8_t data[REPORT_DATA_BYTES],
		 struct report *report)
{
	memset(report, 0, sizeof(*report));
	fill_tcb(td->seam, &report->tcb);
	fill_td(td, &report->td);

	report->mac.type = REPORT_TYPE_TDX;
	sha384(report->tcb_bytes, REPORT_TCB_INFO_BYTES, report->mac.tcb_info_hash);
	sha384(&report->td, sizeof(report->td), report->mac.td_info_hash);
	memcpy(report->mac.data, data, REPORT_DATA_BYTES);
	sign(td->seam, &report->mac);
}
