// SPDX-License-Identifier: GPL-2.0
/* A TD's report says what the TD was built from, and what its guest measured. */
#include "lib/test.h"

/* Of the payload: scratch pages, which are not measured, come first. */
#define SCRATCH			0
#define MEASURED		1

#define NR_RTMRS		4

static void fill_config(struct td_config *config)
{
	td_default_config(config);
	for (int i = 0; i < 6; i++) {
		config->mrconfigid[i] = 0x1111111111111111UL + i;
		config->mrowner[i] = 0x2222222222222222UL + i;
		config->mrownerconfig[i] = 0x3333333333333333UL + i;
	}
}

/* Launch a TD and get its report. */
static int report_of(const struct td_config *config, struct td *td, struct tdreport *report)
{
	u8 data[TDREPORT_DATA_SIZE];
	int ret;

	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = i;
	ret = td_build(td, config, TD_FINALIZED);
	if (!ret)
		ret = td_start(td);
	return ret ? ret : td_report(&td->vcpus[0], data, report);
}

FIXTURE(measured)
{
	struct td_config config;
	struct td td;
	struct tdreport report;
};

FIXTURE_SETUP(measured)
{
	const char *why = kvm_tdx_unsupported();

	if (why)
		SKIP(return, "%s", why);
	fill_config(&self->config);
	ASSERT_EQ(0, report_of(&self->config, &self->td, &self->report));
}

FIXTURE_TEARDOWN(measured)
{
	td_destroy(&self->td);
}

TEST_F(measured, report)
{
	struct tdreport_td_info *info = &self->report.td_info;

	EXPECT_EQ(TDREPORT_TYPE_TD, self->report.mac.type);
	for (size_t i = 0; i < TDREPORT_DATA_SIZE; i++)
		ASSERT_EQ(i, self->report.mac.report_data[i]);

	EXPECT_EQ(self->config.attributes, info->attributes & self->config.attributes);
	EXPECT_EQ(self->config.xfam, info->xfam & self->config.xfam);
	EXPECT_EQ(0, memcmp(self->config.mrconfigid, info->mrconfigid, SHA384_SIZE));
	EXPECT_EQ(0, memcmp(self->config.mrowner, info->mrowner, SHA384_SIZE));
	EXPECT_EQ(0, memcmp(self->config.mrownerconfig, info->mrownerconfig, SHA384_SIZE));
}

TEST_F(measured, report_hashes)
{
	u8 hash[SHA384_SIZE];

	sha384(&self->report.td_info, sizeof(self->report.td_info), hash);
	EXPECT_EQ(0, memcmp(hash, self->report.mac.tee_info_hash, SHA384_SIZE));
	sha384(self->report.tee_tcb_info, sizeof(self->report.tee_tcb_info), hash);
	EXPECT_EQ(0, memcmp(hash, self->report.mac.tee_tcb_info_hash, SHA384_SIZE));
}

TEST_F(measured, mrtd)
{
	EXPECT_LT(0, self->td.nr_measured);
	EXPECT_LT(self->td.nr_measured, self->td.nr_added);
	EXPECT_EQ(0, memcmp(self->td.mrtd, self->report.td_info.mrtd, SHA384_SIZE));
}

/* Each change of the construction changes MRTD; the launcher's value follows. */
static int compare_mrtd(struct td_image *image, u8 mrtd[SHA384_SIZE])
{
	struct td_config config;
	struct tdreport report;
	struct td td;
	int ret;

	fill_config(&config);
	config.image = image;
	ret = report_of(&config, &td, &report);
	if (!ret && memcmp(td.mrtd, report.td_info.mrtd, SHA384_SIZE))
		ret = error(-EILSEQ, "MRTD is not what was built");
	memcpy(mrtd, report.td_info.mrtd, SHA384_SIZE);
	td_destroy(&td);
	return ret;
}

TEST_F(measured, mrtd_follows_content)
{
	u8 *original = self->report.td_info.mrtd, mrtd[SHA384_SIZE];
	struct td_image image;
	u8 *last;

	ASSERT_EQ(0, td_image_builtin(&image));
	ASSERT_FALSE(image.regions[SCRATCH].measured);
	ASSERT_TRUE(image.regions[MEASURED].measured);

	ASSERT_EQ(0, compare_mrtd(&image, mrtd));
	EXPECT_EQ(0, memcmp(original, mrtd, SHA384_SIZE));

	image.regions[SCRATCH].data[0] ^= 1;
	ASSERT_EQ(0, compare_mrtd(&image, mrtd));
	EXPECT_EQ(0, memcmp(original, mrtd, SHA384_SIZE))
		TH_LOG("content that is not measured shows in MRTD");

	/* Padding behind the payload's code and data. */
	last = image.regions[MEASURED].data + image.regions[MEASURED].size - 1;
	ASSERT_EQ(0, *last);
	*last = 1;
	ASSERT_EQ(0, compare_mrtd(&image, mrtd));
	EXPECT_NE(0, memcmp(original, mrtd, SHA384_SIZE))
		TH_LOG("a changed byte does not show in MRTD");
	*last = 0;

	image.regions[SCRATCH].measured = true;
	ASSERT_EQ(0, compare_mrtd(&image, mrtd));
	EXPECT_NE(0, memcmp(original, mrtd, SHA384_SIZE))
		TH_LOG("whether a page is measured does not show in MRTD");
	td_image_free(&image);
}

TEST_F(measured, rtmrs)
{
	struct td_vcpu *vcpu = &self->td.vcpus[0];
	u8 want[NR_RTMRS][SHA384_SIZE] = { 0 }, data[SHA384_SIZE];
	struct tdreport report;

	EXPECT_EQ(0, memcmp(want, self->report.td_info.rtmr, sizeof(want)));
	for (unsigned int i = 0; i < 3 * NR_RTMRS - 1; i++) {
		memset(data, 0x10 + i, sizeof(data));
		ASSERT_EQ(0, td_rtmr_extend(vcpu, i % NR_RTMRS, data));
		rtmr_extend(want[i % NR_RTMRS], data);
	}
	ASSERT_EQ(0, td_report(vcpu, self->report.mac.report_data, &report));
	EXPECT_EQ(0, memcmp(want, report.td_info.rtmr, sizeof(want)));
	EXPECT_EQ(0, memcmp(self->td.mrtd, report.td_info.mrtd, SHA384_SIZE));
}

TEST_F(measured, no_such_rtmr)
{
	struct td_vcpu *vcpu = &self->td.vcpus[0];
	struct tdreport report;

	ASSERT_EQ(0, td_do(vcpu, TD_CMD_RTMR_EXTEND, NR_RTMRS));
	EXPECT_NE(0, vcpu->mailbox->result[0]);
	ASSERT_EQ(0, td_report(vcpu, self->report.mac.report_data, &report));
	EXPECT_EQ(0, memcmp(&self->report.td_info, &report.td_info, sizeof(report.td_info)));
}

TEST_HARNESS_MAIN
