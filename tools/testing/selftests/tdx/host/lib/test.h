/* SPDX-License-Identifier: GPL-2.0 */
/* For tests that use kselftest_harness.h. */
#ifndef TDX_HOST_TEST_H
#define TDX_HOST_TEST_H

#include "kselftest_harness.h"
#include "command.h"
#include "kvm_tdx.h"

/* For each test; emulated machines are slow. */
#undef TEST_TIMEOUT_DEFAULT
#define TEST_TIMEOUT_DEFAULT 300

#endif
