# SPDX-License-Identifier: GPL-2.0-only
"""Lines of each file and its longest function, in C and Python, and what grew in stock files."""
import ast
import dataclasses
import re
import subprocess

from lab import place, series, trees
from lab.say import line

MAX_LINES = 500
MAX_FUNCTION = 60
# The line before the body of a function, and the name that it gives.
HEAD = re.compile(r".*?(\w+)\(")


@dataclasses.dataclass(frozen=True)
class Function:
    """A function, its lines counted from the first line of its head to its closing brace."""
    name: str
    lines: int
    text: str = dataclasses.field(repr=False)


NONE = Function("-", 0, "")


def head_of(lines, body):
    """Where the head starts of the function whose body starts at line @body."""
    start = body - 1
    while start > 0 and lines[start][:1] in ("\t", " "):
        start -= 1
    # A type on a line of its own.
    if "(" in lines[start].split(" ")[0] and start > 0 and re.fullmatch(r"[\w\s*]+", lines[start - 1]):
        start -= 1
    return start


def c_functions(text):
    """Functions in the kernel's style: braces in the first column open and close the body."""
    lines = text.splitlines()
    body = None
    for at, content in enumerate(lines):
        if content == "{":
            body = at
        elif body and content.startswith("}"):
            start = head_of(lines, body)
            name = HEAD.match(" ".join(lines[start:body]))
            yield Function(name[1] if name else lines[start], at + 1 - start, "\n".join(lines[start:at + 1]))
            body = None


def python_functions(text):
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef):
            yield Function(node.name, node.end_lineno + 1 - node.lineno, ast.get_source_segment(text, node))


def functions(path, text):
    return list(python_functions(text) if path.endswith(".py") else c_functions(text))


def longest(found):
    return max(found, key=lambda function: function.lines, default=NONE)


def tracked():
    """The project's files that have functions."""
    names = subprocess.run(["git", "ls-files", "*.c", "*.h", "*.py"], cwd=place.SRC, text=True,
                           capture_output=True, check=True).stdout.split()
    return {name: (place.SRC / name).read_text() for name in names}


def grown():
    """(path, lines before, lines after, longest function that is new or changed) of stock C files."""
    stock, tree = trees.stock(), trees.kernel("series").tree
    paths = {file.path for _, found in series.touched(place.SRC) for file in found
             if file.is_c and not file.adds and not file.deletes}
    for path in sorted(paths & {path for path in paths if (stock / path).exists()}):
        before, after = (stock / path).read_text(), (tree / path).read_text()
        old = {function.text for function in c_functions(before)}
        new = [function for function in c_functions(after) if function.text not in old]
        yield path, len(before.splitlines()), len(after.splitlines()), longest(new)


def report():
    line(f"{'lines':>6}{'longest':>9}  file: longest function")
    for path, text in tracked().items():
        most = longest(functions(path, text))
        line(f"{len(text.splitlines()):>6}{most.lines:>9}  {path}: {most.name}")
    line("")
    line(f"{'stock':>6}{'series':>8}{'longest':>9}  file: longest function that is new or changed")
    for path, before, after, most in grown():
        line(f"{before:>6}{after:>8}{most.lines:>9}  {path}: {most.name}")
