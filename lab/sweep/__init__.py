# SPDX-License-Identifier: GPL-2.0-only
"""The fault sweep: each SEAMCALL and each allocation of a TD's life fails in turn, and the host goes on."""
