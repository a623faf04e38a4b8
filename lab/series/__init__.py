# SPDX-License-Identifier: GPL-2.0-only
"""The patch series: how it is stored, staged, refreshed, mailed and checked.

    source = pristine(tarball, cache)         the kernel as a git repository
    stage(root, tree, source)                 series/ -> tree
    refresh(root, tree)                       tree -> series/
    mails(root, out, source, identity)        series/ -> mails for git am
    check(root, mails, kernel)                checkpatch on the mails
    touched(root)                             which files each patch is about

@root is the project's top folder.  Every error is a SeriesError whose text is
one line for the user.
"""
from .checking import Finding, Touched, check, checkpatch, touched, uncovered
from .errors import SeriesError
from .mailing import identity_of, mails
from .source import Pristine, pristine
from .refreshing import Refreshed, refresh
from .staging import DISCARD, KEEP, REFUSE, Staged, stage

__all__ = ["DISCARD", "KEEP", "REFUSE", "Finding", "Pristine", "Refreshed", "SeriesError",
           "Staged", "Touched", "check", "checkpatch", "identity_of", "mails", "pristine",
           "refresh", "stage", "touched", "uncovered"]
