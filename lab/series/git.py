# SPDX-License-Identifier: GPL-2.0-only
"""Runs git with a configuration of our own: the user's must not change a byte."""
import contextlib
import os
import subprocess
import tempfile
from pathlib import Path

from .errors import SeriesError

# Commit ids depend on these, so they are the same for everyone, for ever.
IDENTITY = "TDX host series <series@tdx.invalid>"
DATE = "1767225600 +0000"

# Hunk headers name the function. git's own rules for that change between its
# versions, so C files get a fixed one: a name in column 0 that is not a label.
FUNCNAME = r"!^[A-Za-z_][A-Za-z_0-9]*:[ \t]*$" + "\n" + r"^[A-Za-z_].*$"

CONFIG = {
    "safe.directory": "*",
    "core.hooksPath": "/dev/null",
    "core.autocrlf": "false",
    "core.fsmonitor": "false",
    "core.quotePath": "false",
    "core.attributesFile": "/dev/null",
    "core.excludesFile": "/dev/null",
    "gc.auto": "0",
}


class GitError(SeriesError):
    """A git command failed; `stderr` is all of what it said."""

    def __init__(self, args, stderr):
        self.stderr = stderr
        lines = [text for text in stderr.splitlines() if text.strip()]
        said = lines[0].strip() if lines else "no message"
        super().__init__(f"git {args[0]} failed: {said}")


def environment(identity=IDENTITY, date=DATE):
    """An environment in which git sees no configuration but CONFIG."""
    name, email = identity.rstrip(">").split(" <")
    env = {
        "PATH": os.environ.get("PATH", os.defpath),
        "LC_ALL": "C",
        "TZ": "UTC",
        "XDG_CONFIG_HOME": "/nonexistent",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": "/dev/null",
        "GIT_ATTR_NOSYSTEM": "1",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_CONFIG_COUNT": str(len(CONFIG)),
    }
    for role in ("AUTHOR", "COMMITTER"):
        env[f"GIT_{role}_NAME"] = name
        env[f"GIT_{role}_EMAIL"] = email
        env[f"GIT_{role}_DATE"] = date
    for number, (key, value) in enumerate(CONFIG.items()):
        env[f"GIT_CONFIG_KEY_{number}"] = key
        env[f"GIT_CONFIG_VALUE_{number}"] = value
    return env


class Repository:
    """A repository at @path: a working tree, or a bare one."""

    def __init__(self, path, env=None):
        self.path = Path(path)
        self.env = env or environment()

    def run(self, *args, data=None):
        """Run git with @args; its output as bytes, or GitError."""
        done = subprocess.run(["git", *args], cwd=self.path, env=self.env, input=data,
                              stdin=subprocess.DEVNULL if data is None else None,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        if done.returncode:
            raise GitError(args, done.stderr.decode(errors="replace"))
        return done.stdout

    def text(self, *args, data=None):
        return self.run(*args, data=data).decode().strip()

    def fields(self, *args):
        """The NUL-separated fields that a command with -z prints."""
        return self.run(*args).decode(errors="surrogateescape").split("\0")[:-1]

    def commit(self, name):
        """The id of the commit that @name names, or None."""
        with contextlib.suppress(GitError):
            return self.text("rev-parse", "--verify", "--quiet", f"{name}^{{commit}}")
        return None


@contextlib.contextmanager
def scratch(objects, keep=True, identity=IDENTITY, date=DATE):
    """A bare repository for a moment, on top of the object store @objects.

    Nothing that the owner of @objects configured reaches it.  New objects go
    to @objects when @keep is true and vanish with the scratch otherwise.
    """
    with tempfile.TemporaryDirectory(prefix="series-") as folder:
        env = environment(identity, date)
        repo = Repository(folder, env)
        repo.run("init", "--quiet", "--bare", "--template=", "--initial-branch=series")
        repo.run("config", "diff.kernel.xfuncname", FUNCNAME)
        info = Path(folder, "info")
        info.mkdir(exist_ok=True)
        (info / "attributes").write_text("*.[chS] diff=kernel\n")
        if keep:
            env["GIT_OBJECT_DIRECTORY"] = str(Path(objects).absolute())
        else:
            env["GIT_ALTERNATE_OBJECT_DIRECTORIES"] = str(Path(objects).absolute())
        yield repo
