# SPDX-License-Identifier: GPL-2.0-only
"""make sweep: go through all faults, or a part of them, and tell how the host took them."""
import concurrent.futures
import dataclasses
import json
import os
import queue

from lab import own, place, report, shard
from lab.say import LabError, line, step
from lab.sweep import host, judge, table
from lab.sweep.points import Point, allocation_of, allocation_points, leaf_points

ALLOCATIONS = ("host", "fault")
# Faults in a boot: the more, the longer it takes to get back to one that fails.
BATCH = 150
# Boots at a time; each has two CPUs that wait for one another much of the time.
BOOTS = 2


def all_points(calls, allocations):
    """@calls: {phase: {leaf: calls}}, @allocations: {thread: allocations}."""
    return [*(point for phase in calls for point in leaf_points(phase, calls[phase])), *allocation_points(allocations)]


def happened(point, said):
    """
    False for an allocation beyond the last one that the life makes, or a call that this life did not make: where
    the allocator takes pages from decides how many pairs of Dynamic PAMT there are, for example.
    """
    if point.kind != "no memory":
        return said["fired"]
    return '"allocation_failed": false' not in said["said"]


def batches(points):
    """Parts of @points that one boot can go through, and the name of each."""
    for kernel, part in (("life", [point for point in points if point.kind != "no memory"]),
                         ("memory", [point for point in points if point.kind == "no memory"])):
        for at in range(0, len(part), BATCH):
            yield f"{kernel}-{at}", part[at:at + BATCH]


def sweep_life(built, points, tell):
    for name, part in batches(points):
        host_of_part = host.make(ALLOCATIONS) if part[0].kind == "no memory" else built
        for point, said in host.live(host_of_part, name, part):
            tell()
            if "died" in said or happened(point, said):
                yield point, judge.wrong_with(point, said) + beyond(point), said


def beyond(point):
    """What is wrong with an allocation that happened although it is beyond the last one."""
    return ["there may be allocations after this one, which are not tried"] if point.last else []


def sweep_init(built, points, tell):
    folders = queue.SimpleQueue()
    for nr in range(BOOTS):
        folders.put(f"init-{nr}")

    def one(point):
        # The folder stays this boot's until it is judged: the next boot there removes what this one wrote.
        folder = folders.get()
        try:
            result = host.init(built, folder, point)
            return point, judge.wrong_with_init(point, result), {"log": result.complaints()}
        finally:
            folders.put(folder)

    with concurrent.futures.ThreadPoolExecutor(BOOTS) as pool:
        for outcome in pool.map(one, points):
            tell()
            yield outcome


def sweep(points, built, name):
    """Go through @points.  Returns [(point, wrong, said)] of those that happened."""
    results = []
    with step("sweep") as s:
        done = 0

        def tell():
            nonlocal done
            done += 1
            s.detail = f"{done} of {len(points)} faults"
        by_phase = {phase: [point for point in points if point.phase == phase] for phase in ("init", "life")}
        results += sweep_init(built, by_phase["init"], tell)
        results += sweep_life(built, by_phase["life"], tell)
        s.detail = f"{len(results)} faults, {len(points) - len(results)} more did not come up"
    save(results, built, host.OUT / f"{name}.json")
    return results


def save(results, built, path):
    entries = [{"point": dataclasses.asdict(point), "wrong": wrong, "said": said} for point, wrong, said in results]
    report.write_json({"kernel": built.state(), "results": entries}, path)


def merged(count, built):
    """The results of all parts of @count of this kernel, and the numbers of those that are not there."""
    results, missing, state = [], [], built.state()
    for n in range(1, count + 1):
        path = host.OUT / f"part-{n}-of-{count}.json"
        part = json.loads(path.read_text()) if path.exists() else {"kernel": None}
        if part["kernel"] == state:
            results += [(Point(**entry["point"]), entry["wrong"]) for entry in part["results"]]
        else:
            missing.append(n)
    return results, missing


def tell(results, calls):
    for text in table.lines(results, calls):
        line(text)
    bad = sum(bool(wrong) for _, wrong in results)
    if bad or not results:
        raise LabError(f"{bad} of {len(results)} faults were not taken well: {place.shown(host.OUT)}/*.json")


def one(text, points):
    """The point that a report named."""
    for point in points:
        if point.text == text:
            return [point]
    raise LabError(f"POINT={text}: there is no such fault; a report of make sweep names them")


def run():
    own.refuse("make sweep")
    index, count = shard.wanted()
    wanted = os.environ.get("POINT")
    built = host.make()
    calls = host.record(built)
    # A kernel that can fail them takes a while to build.
    counts = {} if wanted and ":" in wanted else host.allocations(host.make(ALLOCATIONS))
    points = all_points(calls, counts)
    calls["life"] |= {allocation_of(thread): count for thread, count in counts.items()}
    if wanted:
        tell([result[:2] for result in sweep(one(wanted, points), built, "point")], calls)
        return
    sweep(shard.spread(points, index, count), built, f"part-{index}-of-{count}")
    results, missing = merged(count, built)
    for n in missing:
        line(f"part {n} of {count} is not in this table: make sweep SHARD={n}/{count}")
    tell(results, calls)
