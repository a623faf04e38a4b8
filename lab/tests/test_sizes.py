# SPDX-License-Identifier: GPL-2.0-only
"""No file and no function is too long, and what counts them can count."""
import pytest

from lab import sizes

TEXT = """\
struct {
	int a;
} thing;

static int one(int a,
	       int b)
{
	if (a) {
		b++;
	}
	return b;
}

int
two(void)
{
	return 2;
}
"""


def test_functions_of_c_are_counted():
    assert [(f.name, f.lines) for f in sizes.c_functions(TEXT)] == [("one", 8), ("two", 5)]


def test_functions_of_python_are_counted():
    found = list(sizes.python_functions("def f():\n    def g():\n        pass\n    return g\n"))
    assert {(f.name, f.lines) for f in found} == {("f", 4), ("g", 2)}


@pytest.mark.parametrize("path, text", sizes.tracked().items(), ids=lambda value: "" if "\n" in value else value)
def test_limits(path, text):
    long = [(f.name, f.lines) for f in sizes.functions(path, text) if f.lines > sizes.MAX_FUNCTION]
    assert not long, f"{path}: more than {sizes.MAX_FUNCTION} lines"
    lines = len(text.splitlines())
    assert lines <= sizes.MAX_LINES, f"{path} has {lines} lines, more than {sizes.MAX_LINES}"
