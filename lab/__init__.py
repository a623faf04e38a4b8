# SPDX-License-Identifier: GPL-2.0-only
"""The lab: builds the kernels and softseam, boots them, tests them, reports."""
