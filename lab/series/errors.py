# SPDX-License-Identifier: GPL-2.0-only
"""What goes wrong with the series, said in one line."""


class SeriesError(Exception):
    """One line: what is wrong and what to do about it."""
