# SPDX-License-Identifier: GPL-2.0-only
"""A picture of the benchmark: memory of idle hosts, and pages per second, on logarithmic scales."""
import math

WIDTH, HEIGHT, LEFT, TOP, PLOT_W, PLOT_H = 900, 380, 70, 50, 330, 250
COLOURS = {"static": "#b3432b", "dynamic": "#2b6cb3", "minimum": "#7f9fbf",
           "region": "#2b6cb3", "counter": "#7f9fbf", "spinlock": "#b3432b"}
NAMES = {"static": "static PAMT", "dynamic": "Dynamic PAMT, no TDs", "minimum": "of it, for the module",
         "region": "this series", "counter": "atomic counter", "spinlock": "one lock, pair allocated"}


def text(x, y, said, anchor="middle", size=12):
    return f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" text-anchor="{anchor}">{said}</text>'


class Axis:
    """Decades from @low to @high, upwards."""

    def __init__(self, low, high):
        self.low, self.high = math.floor(math.log10(low)), math.ceil(math.log10(high))

    def y(self, value):
        return TOP + PLOT_H * (1 - (math.log10(value) - self.low) / (self.high - self.low))

    def lines(self, left, unit):
        for power in range(self.low, self.high + 1):
            y = self.y(10 ** power)
            yield f'<path d="M{left} {y:.1f}h{PLOT_W}" stroke="#ddd"/>'
            yield text(left - 6, y + 4, unit(power), "end", 11)


def bars(left, groups, axis):
    """@groups is a list of (label, {name: value})."""
    step = PLOT_W / len(groups)
    for nr, (label, values) in enumerate(groups):
        width = step * 0.8 / len(values)
        for at, (name, value) in enumerate(values.items()):
            x, y = left + step * (nr + 0.1) + at * width, axis.y(value)
            yield (f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{TOP + PLOT_H - y:.1f}" '
                   f'fill="{COLOURS[name]}"/>')
        yield text(left + step * (nr + 0.5), TOP + PLOT_H + 16, label, size=11)


def legend(left, names):
    for nr, name in enumerate(names):
        x, y = left + nr * 115, TOP + PLOT_H + 44
        yield f'<rect x="{x}" y="{y - 9}" width="10" height="10" fill="{COLOURS[name]}"/>'
        yield text(x + 14, y, NAMES[name], "start", 10)


def panel(left, title, groups, unit):
    values = [value for _, by in groups for value in by.values()]
    axis = Axis(min(values), max(values))
    yield text(left + PLOT_W / 2, TOP - 18, title, size=13)
    yield from axis.lines(left, unit)
    yield from bars(left, groups, axis)
    yield from legend(left, groups[0][1])


def size_of(kilobytes_power):
    return {0: "1 KB", 1: "10 KB", 2: "100 KB", 3: "1 MB", 4: "10 MB", 5: "100 MB", 6: "1 GB", 7: "10 GB",
            8: "100 GB"}[kilobytes_power]


def per_second(power):
    return f"10^{power}"


def svg(rates, sizes):
    """Two panels: memory by size of the host, and throughput by number of threads on one region."""
    memory = [(f"{gb} GB" if gb < 1024 else f"{gb // 1024} TB",
               {name: kb[f"{name}_kb"] for name in ("static", "dynamic", "minimum")}) for gb, kb in sizes.items()]
    speed = [(f"{threads} threads" if threads > 1 else "1 thread",
              {name: rate[name] for name in ("region", "counter", "spinlock")})
             for (threads, spread), rate in sorted(rates.items()) if spread == "same"]
    parts = [*panel(LEFT, "PAMT of an idle host", memory, size_of),
             *panel(LEFT + 450, "get and put of a page, per second, in a kernel on TCG", speed, per_second)]
    return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif">\n'
            '<!-- SPDX-License-Identifier: GPL-2.0-only -->\n<rect width="100%" height="100%" fill="#fff"/>\n'
            + "\n".join(parts) + "\n</svg>\n")
