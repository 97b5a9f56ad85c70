"""Arguments and measuring turns of the Python workers.

A first line reports that the worker is ready. Then a line on standard input asks for a turn, a line of JSON answers; in between the
process waits.
"""

import argparse
import json
import re
import sys
import time


def arguments():
    parser = argparse.ArgumentParser()
    for name in ("network", "mode", "precision", "variant"):
        parser.add_argument(f"--{name}", required=True)
    for name in ("batch", "threads"):
        parser.add_argument(f"--{name}", type=int, required=True)
    return parser.parse_args()


def repeat(step, count, seconds, limit):
    """At least so many steps, and for so many seconds, but none that begins after `limit`; milliseconds of each."""
    times, spent = [], 0
    while (len(times) < count or spent < seconds) and (not times or spent < limit):
        start = time.perf_counter()
        step()
        took = time.perf_counter() - start
        times.append(round(took * 1e3, 4))
        spent += took
    return times


def mebibytes(name):
    with open("/proc/self/status", encoding="ascii") as status:
        return int(re.search(rf"^{name}:\s+(\d+) kB", status.read(), re.MULTILINE)[1]) / 1024


def serve(make, version):
    """Takes turns until the input ends. `make` makes the network and returns what does a step; all imports come before."""
    imported = mebibytes("VmRSS")
    step = make()
    print(json.dumps({"version": version}), flush=True)
    for line in sys.stdin:
        turn = json.loads(line)
        repeat(step, **turn["warmup"])
        warm = mebibytes("VmHWM")
        # From here on VmHWM is the peak of the steps alone.
        with open("/proc/self/clear_refs", "w", encoding="ascii") as file:
            file.write("5")
        times = repeat(step, **turn["steps"])
        peak = mebibytes("VmHWM")
        memory = {"stepMiB": peak - imported, "processMiB": max(warm, peak)}
        print(json.dumps({"version": version, **memory, "times": times}), flush=True)
