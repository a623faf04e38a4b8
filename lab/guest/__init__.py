# SPDX-License-Identifier: GPL-2.0-only
"""A stock guest as a TD: QEMU, firmware and Linux of the distribution, started by the TDX host on softseam."""
