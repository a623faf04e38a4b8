# SPDX-License-Identifier: GPL-2.0-only
"""What goes wrong with the series, said in one line."""
import contextlib


class SeriesError(Exception):
    """One line: what is wrong and what to do about it."""


@contextlib.contextmanager
def writing(where):
    """Turn a full disk or a missing permission in the body into a SeriesError."""
    try:
        yield
    except OSError as error:
        raise SeriesError(f"cannot write {error.filename or where}: {error.strerror}") from None
