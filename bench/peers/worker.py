"""What the Python workers share: arguments, the measuring loop, the JSON line at the end."""

import argparse
import json
import re
import time


def arguments():
    parser = argparse.ArgumentParser()
    for name in ("network", "mode", "precision", "variant"):
        parser.add_argument(f"--{name}", required=True)
    for name in ("batch", "threads", "warmup", "steps"):
        parser.add_argument(f"--{name}", type=int, required=True)
    parser.add_argument("--seconds", type=float, required=True)
    return parser.parse_args()


def repeat(step, count, seconds):
    """At least so many steps, and steps for so many seconds; milliseconds of each."""
    times, end = [], time.perf_counter() + seconds
    while len(times) < count or time.perf_counter() < end:
        start = time.perf_counter()
        step()
        times.append(round((time.perf_counter() - start) * 1e3, 4))
    return times


def measure(step, args, version):
    repeat(step, args.warmup, args.seconds)
    times = repeat(step, args.steps, args.seconds)
    with open("/proc/self/status", encoding="ascii") as status:
        peak = int(re.search(r"^VmHWM:\s+(\d+) kB", status.read(), re.MULTILINE)[1]) / 1024
    print(json.dumps({"version": version, "peakRssMiB": peak, "times": times}), flush=True)
