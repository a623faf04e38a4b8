# SPDX-License-Identifier: GPL-2.0-only
"""python3 -m lab COMMAND: what the Makefile's targets call, inside the toolbox."""
import sys

from lab import bench, browser, clean, run, runner, sizes, trees
from lab.guest import image
from lab.guest import run as guest
from lab.say import LabError
from lab.series import SeriesError
from lab.sweep import run as sweep

COMMANDS = {
    "run": run.run,
    "shell": run.shell,
    "td": guest.td,
    "td-shell": guest.td_shell,
    "td-image": image.show,
    "test": runner.test,
    "test-all": runner.test_all,
    "tree": trees.tree,
    "refresh": trees.refresh,
    "series": trees.mails,
    "bench": bench.bench,
    "sweep": sweep.run,
    "sizes": sizes.report,
    "picture": browser.picture,
    "clean": clean.clean,
}


def main(args):
    if len(args) != 1 or args[0] not in COMMANDS:
        print(f"lab: usage: make TARGET, with TARGET one of {' '.join(COMMANDS)}", file=sys.stderr)
        return 2
    try:
        COMMANDS[args[0]]()
    except (LabError, SeriesError) as error:
        print(f"lab: {error}", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"lab: {error.strerror}: {error.filename or 'no file named'}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("lab: interrupted", file=sys.stderr)
        return 130
    return 0


sys.exit(main(sys.argv[1:]))
