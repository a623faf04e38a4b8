# SPDX-License-Identifier: GPL-2.0-only
"""What looks like a kernel tree to those who only look whether it is one."""

FILES = {
    "Makefile": "# SPDX-License-Identifier: GPL-2.0\nVERSION = 7\nPATCHLEVEL = 1\nSUBLEVEL = 3\n",
    "Kconfig": 'source "arch/x86/Kconfig"\n',
    "arch/x86/Kconfig": "config INTEL_TDX_GUEST\n\tbool\nconfig INTEL_TDX_HOST\n\tbool\n",
    "arch/x86/virt/vmx/tdx/tdx.c": "",
    "arch/x86/kvm/vmx/tdx.c": "",
    "arch/x86/coco/tdx/tdx.c": "",
    "drivers/virt/coco/tdx-guest/tdx-guest.c": "",
}


def tree(folder, without=(), **change):
    """A tree in @folder but for the files @without; @change says what other files hold."""
    for name, text in (FILES | change).items():
        if name not in without:
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
    return folder
