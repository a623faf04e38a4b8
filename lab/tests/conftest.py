# SPDX-License-Identifier: GPL-2.0-only
"""What the lab's tests share: kernels built once, boots in folders of their own."""
import os
import sys

import pytest

sys.path.insert(0, "/src")

from lab import initramfs, kernel, place, qemu, softseam, source, trees  # noqa: E402


def pytest_configure():
    """Tests of the series on the real kernel find its source in the lab's cache."""
    os.environ["SERIES_SOURCE"] = str(source.tarball(trees.version()))
    os.environ["SERIES_CACHE"] = str(place.CACHE)


@pytest.fixture(scope="session")
def hosts():
    """Kernel image and initramfs of each base."""
    softseam.build()
    made = {}
    for base in ("series", "stock"):
        built = kernel.build(trees.kernel(base))
        made[base] = {"kernel": built.image, "initramfs": initramfs.build(built)}
    return made


@pytest.fixture
def boot(hosts, request):
    """boot(base="series", steps=..., ...): boot a host, fail the test if it hangs."""
    def run(base="series", steps="load:kvm-intel,vm", **machine):
        name = request.node.name.replace("/", "_")
        folder = place.BUILD / "test/boot" / name
        result = qemu.boot(qemu.Machine(steps=steps, **hosts[base], **machine), folder)
        assert not result.timed_out, f"the host hung: {result.last_words()}"
        return result
    return run
