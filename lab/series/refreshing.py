# SPDX-License-Identifier: GPL-2.0-only
"""The kernel tree to series/."""
import re
from dataclasses import dataclass
from pathlib import Path

from . import chain, files, patches
from .errors import SeriesError, writing
from .git import scratch
from .tree import Tree

DIFF = ("diff-tree", "-p", "--no-renames", "--no-ext-diff", "--no-textconv", "--no-color",
        "--diff-algorithm=histogram", "--indent-heuristic", "--unified=3",
        "--inter-hunk-context=0", "--src-prefix=a/", "--dst-prefix=b/", "--full-index")


@dataclass(frozen=True)
class Refreshed:
    """The project files that refresh() wrote and removed."""
    written: tuple
    removed: tuple


@dataclass(frozen=True)
class Commit:
    """A commit of the tree in the form it is stored."""
    link: chain.Link
    where: str
    subject: str
    body: str
    adds: dict
    diff: bytes

    @property
    def blobs(self):
        return {path: (change.mode.encode(), change.blob.encode())
                for path, change in self.adds.items()}

    def render(self):
        return patches.render(self.subject, self.body, self.adds, self.diff)


@dataclass(frozen=True)
class Change:
    """What a commit does to one path."""
    status: str
    mode: str
    blob: str
    path: str


def refresh(root, path, base=None, overwrite=False):
    """Write the commits of the tree at @path to series/ and the added files.

    With @base only series/@base is written, and only patches that need to differ
    there.  @overwrite gives up changes that series/ had since the last stage().
    """
    root, path = Path(root), Path(path)
    tree = Tree(path)
    if not tree.exists():
        raise SeriesError(f"there is no {tree.shown}: run 'make tree' first")
    with writing(path.parent), files.locked(path.parent / f".{path.name}.lock"):
        _check_clean(tree)
        with scratch(tree.objects) as repo:
            commits = _commits(tree, repo)
            if not overwrite:
                _check_unmoved(root, tree, repo, base)
            return _save(root, tree, repo, commits, base)


def _check_clean(tree):
    tree.head()
    dirty = tree.changes(untracked=True)
    if dirty:
        raise SeriesError(f"{tree.shown} has uncommitted changes ({files.several(dirty)}): "
                          "commit them or remove them first")


def _commits(tree, repo):
    base, head = tree.base(), tree.head()
    if repo.text("rev-list", "--max-count=1", base, f"^{head}"):
        raise SeriesError(f"the branch in {tree.shown} does not start at the pristine source "
                          f"({base[:12]}): rebase it onto refs/series/base")
    merge = repo.text("log", "-1", "--merges", "--format=%h (%s)", f"{base}..{head}")
    if merge:
        raise SeriesError(f"{tree.shown} has the merge commit {merge}: a series is a line, "
                          "rebase it")
    roots = files.mirror_roots(repo, base)
    commits, owner, parent = [], {}, base
    for link in chain.read(repo, base, head):
        commits.append(_commit(repo, parent, link, owner, roots))
        owner |= dict.fromkeys(commits[-1].adds, commits[-1].where)
        parent = link.commit
    return commits


def _commit(repo, parent, link, owner, roots):
    title = link.message.split("\n")[0]
    where = f"commit {link.commit[:12]} (\"{title}\")"
    adds, stock = {}, []
    for change in _raw(repo, parent, link.commit):
        if change.path in owner:
            raise SeriesError(f"{where} changes {change.path}, which {owner[change.path]} adds: "
                              "a new file comes whole with one patch, fold the change into that one")
        if change.status == "A":
            _check_added(change, where, roots)
            adds[change.path] = change
        elif change.status in "MD":
            stock.append(change.path)
        else:
            raise SeriesError(f"{where} turns {change.path} into another type of file, "
                              "which a patch here cannot do")
    if not adds and not stock:
        raise SeriesError(f"{where} changes nothing: drop it")
    if adds and stock:
        _check_renames(repo, parent, link.commit, where)
    subject, body = patches.split_message(link.message, where)
    return Commit(link, where, subject, body, adds, _diff(repo, parent, link.commit, stock, where))


def _raw(repo, parent, commit):
    fields = repo.fields("diff-tree", "-r", "-z", "--no-renames", parent, commit)
    for meta, path in zip(fields[::2], fields[1::2], strict=True):
        _, mode, _, blob, status = meta.split(" ")
        yield Change(status, mode, blob, path)


def _check_added(change, where, roots):
    if change.mode not in ("100644", "100755"):
        raise SeriesError(f"{where} adds {change.path}, which is not a regular file")
    top, _, rest = change.path.partition("/")
    if not rest or top not in roots:
        raise SeriesError(f"{where} adds {change.path}: a new file must be in one of the folders "
                          "that stock Linux has at the top")


def _check_renames(repo, parent, commit, where):
    fields = repo.fields("diff-tree", "-r", "-z", "-M", "--diff-filter=R", "--name-status",
                         parent, commit)
    if fields:
        raise SeriesError(f"{where} renames {fields[1]} to {fields[2]}: that would put kernel "
                          "source into this repository, so leave the file where it is")


def _diff(repo, parent, commit, paths, where):
    if not paths:
        return b""
    text = repo.run("--literal-pathspecs", *DIFF, parent, commit, "--", *sorted(paths))
    # Blob ids differ from base to base and say nothing to a reader.
    text = re.sub(rb"^index [0-9a-f]+\.\.[0-9a-f]+(?: [0-7]+)?\n", b"", text, flags=re.M)
    if match := re.search(rb"^Binary files a/(.+) and ", text, re.M):
        raise SeriesError(f"{where} changes {match[1].decode()}, which is binary: "
                          "a patch can change text only")
    return text


def _check_unmoved(root, tree, repo, base):
    """Refuse if series/ changed behind the tree's back."""
    try:
        links = chain.build(repo, tree.base(), patches.load(root / "series", base), root)
        same = [link.content for link in links] in (tree.staged(), tree.work())
        reason = "changed"
    except SeriesError as error:
        same, reason = False, f"changed and is not sound ({error})"
    if not same:
        raise SeriesError(f"series/ or a file it adds {reason} since it was staged: bring that to "
                          f"{tree.shown} with 'make tree', or give it up with 'make refresh OVERWRITE=1'")


def _save(root, tree, repo, commits, base):
    with files.Transaction() as change:
        if base:
            _put_overrides(change, root, repo, tree.base(), commits, base)
        else:
            _put_patches(change, root, commits)
            _put_maintainers(change, root, repo, tree)
        _put_added(change, root, repo, tree.base(), commits)
        change.commit()
        links = chain.build(repo, tree.base(), patches.load(root / "series", base), root)
        if [link.content for link in links] != tree.work():
            raise SeriesError("series/ as written would not give the commits of "
                              f"{tree.shown} back; nothing was changed")
        tree.record(tree.base(), links[-1].commit if links else tree.base())
        return Refreshed(tuple(change.written), tuple(change.removed))


def _put_patches(change, root, commits):
    series = root / "series"
    names = [patches.file_name(number, commit.subject)
             for number, commit in enumerate(commits, start=1)]
    for name, commit in zip(names, commits, strict=True):
        change.put(series / name, commit.render())
    old = patches.patch_files(series)
    for path in old:
        if path.name not in names:
            change.remove(path)
    _rename_overrides(change, series, names)


def _rename_overrides(change, series, names):
    """An override goes where its patch goes, found by what follows the number."""
    for path in sorted(series.glob("[0-9]*/*.patch")):
        same = [name for name in names if patches.slug_of(name) == patches.slug_of(path.name)]
        if len(same) == 1 and same[0] != path.name:
            change.put(path.with_name(same[0]), path.read_bytes())
            change.remove(path)


def _put_maintainers(change, root, repo, tree):
    """MAINTAINERS at the top of the project: the lines the series adds to the kernel's."""
    text = repo.run(*DIFF, "--unified=0", tree.base(), tree.head(), "--", "MAINTAINERS")
    lines = re.findall(rb"^\+(?!\+\+ )(.*\n)", text, re.M)
    if lines:
        change.put(root / "MAINTAINERS", b"".join(lines).strip(b"\n") + b"\n")


def _put_added(change, root, repo, base, commits):
    added = {path: file for commit in commits for path, file in commit.adds.items()}
    for path, new in added.items():
        change.put(root / path, repo.run("cat-file", "blob", new.blob), new.mode == "100755")
    before = {path for file in patches.patch_files(root / "series")
              for path in patches.adds_of(file)}
    roots = files.mirror_roots(repo, base)
    gone = before - added.keys()
    files.check_claimed(root, roots, added.keys() | gone)
    for path in gone:
        change.remove(root / path)


def _put_overrides(change, root, repo, base, commits, name):
    """A patch for base @name alone, where the common one does not do."""
    common = patches.load(root / "series")
    if len(common) != len(commits):
        raise SeriesError(f"series/ has {len(common)} patches and this tree {len(commits)} commits: "
                          f"a tree for {name} can only vary patches, add or drop them in build/linux")
    parent = base
    for patch, commit in zip(common, commits, strict=True):
        path = root / "series" / name / patch.name
        if tuple(sorted(commit.adds)) != patch.adds:
            raise SeriesError(f"{commit.where} does not add the files that {patch.shown} adds: "
                              "new files are common to all bases")
        if _common_does(repo, parent, patch, commit, root):
            change.remove(path)
        else:
            change.put(path, commit.render())
        parent = commit.link.commit


def _common_does(repo, parent, patch, commit, root):
    """Does the common patch give this very commit?"""
    try:
        [link] = chain.build(repo, parent, [patch], root, commit.blobs)
    except SeriesError:
        return False
    return link.content == commit.link.content
