# SPDX-License-Identifier: GPL-2.0-only
"""series/ to the kernel tree."""
from dataclasses import dataclass
from pathlib import Path

from . import chain, files, patches
from .errors import SeriesError, writing
from .git import scratch
from .tree import STAGED, Tree, create, share, sweep

REFUSE, KEEP, DISCARD = "refuse", "keep", "discard"
DISCARDED = "refs/series/discarded"


@dataclass(frozen=True)
class Staged:
    """What stage() did: the commits in order, and what it wrote to the tree.

    `fresh` is true for a new tree; `work` names what the tree holds that
    series/ does not, which only KEEP lets stand.
    """
    links: tuple
    changed: tuple
    fresh: bool = False
    work: str = ""


def stage(root, path, pristine, base=None, work=REFUSE):
    """Bring the tree at @path to the state that series/ in @root describes.

    @base selects the overrides in series/@base.  @work says what to do about
    commits and changes in the tree that series/ does not have: REFUSE them,
    KEEP them as long as series/ itself has not moved on, or DISCARD them.
    """
    path = Path(path)
    with writing(path), files.locked(path.parent / f".{path.name}.lock"):
        todo = patches.load(Path(root, "series"), base)
        tree = Tree(path)
        if not tree.exists():
            _rehearse(root, pristine, todo)
            sweep(path)
            tree = create(path, pristine)
            return _first(root, tree, pristine, todo)
        share(pristine, tree.objects)
        links = _build(root, tree.objects, pristine.commit, todo)
        return _update(tree, pristine.commit, links, work)


def _build(root, objects, base, todo, keep=True):
    with scratch(objects, keep) as repo:
        claimed = {path for patch in todo for path in patch.adds}
        links = chain.build(repo, base, todo, root)
        files.check_claimed(root, files.mirror_roots(repo, base), claimed)
        return links


def _rehearse(root, pristine, todo):
    """Find a bad patch before the long checkout."""
    _build(root, pristine.objects, pristine.commit, todo, keep=False)


def _first(root, tree, pristine, todo):
    links = _build(root, tree.objects, pristine.commit, todo)
    tip = _tip(links, pristine.commit)
    tree.move(tip)
    tree.record(pristine.commit, tip)
    return Staged(tuple(links), tuple(_differing(tree, pristine.commit, tip)), fresh=True)


def _tip(links, base):
    return links[-1].commit if links else base


def _differing(tree, old, new):
    return tree.repo.fields("diff-tree", "-r", "-z", "--name-only", "--no-renames", old, new)


def _update(tree, base, links, work):
    head, tip = tree.head(), _tip(links, base)
    unsaved = _unsaved(tree, links)
    if unsaved and work == KEEP and tip == tree.repo.commit(STAGED):
        return Staged(tuple(links), (), work=unsaved)
    if unsaved and work != DISCARD:
        raise SeriesError(f"{tree.shown} has work that series/ does not have ({unsaved}): "
                          "save it with 'make refresh' or drop it with 'make tree DISCARD=1'")
    if unsaved:
        _drop(tree)
    if head != tip:
        changed = _differing(tree, head, tip)
        tree.move(tip)
    else:
        changed = ()
    tree.record(base, tip)
    return Staged(tuple(links), tuple(changed))


def _unsaved(tree, links):
    """What the tree has and series/ has not, in words; empty if nothing."""
    parts = []
    mine = tree.work()
    if mine not in ([link.content for link in links], tree.staged()):
        parts.append("commits")
    dirty = tree.changes(untracked=False)
    if dirty:
        parts.append(f"uncommitted: {files.several(dirty)}")
    return "; ".join(parts)


def _drop(tree):
    """Drop changes and commits, but leave a reference to them."""
    kept = tree.repo.text("stash", "create") or tree.head()
    tree.repo.run("update-ref", DISCARDED, kept)
    tree.repo.run("reset", "--quiet", "--hard")
