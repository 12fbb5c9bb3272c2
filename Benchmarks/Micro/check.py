#!/usr/bin/env python3
"""Measures operations of the data path one by one and checks what each allocates against thresholds.json.

Allocations do not depend on what else the machine does, so a check can be strict; they may change with the compiler and with OpenSSL.
OpenSSL's ways to sign, which allocate differently, depend on the processor's extensions: here it is told that there are none.
Times are for information. Exits 1 when something allocates more than its threshold.
"""
import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

THRESHOLDS = Path(__file__).with_name("thresholds.json")
# What is checked, and what it may have more than its threshold: a share of it, or so much.
CHECKED = {"allocations": (0.01, 0.1), "bytes": (0.02, 16)}


# Without AVX2, BMI2, AVX-512F, ADX and AVX-512-IFMA (man OPENSSL_ia32cap); other processors ignore it.
PLAIN = {"OPENSSL_ia32cap": ":~0x290120"}


def measure(program):
    with tempfile.TemporaryDirectory() as directory:
        key = Path(directory) / "key.pem"
        subprocess.run(["openssl", "genrsa", "-out", key, "2048"], check=True, capture_output=True)
        lines = subprocess.run([program, key], check=True, stdout=subprocess.PIPE, text=True, env=os.environ | PLAIN).stdout.splitlines()
    return {result.pop("name"): result for result in map(json.loads, lines)}


def problems(costs, thresholds):
    """What is worse than it may be, in words."""
    for name, cost in costs.items():
        if name not in thresholds:
            yield f"{name}: has no threshold"
            continue
        for what, (share, amount) in CHECKED.items():
            limit = thresholds[name][what]
            if cost[what] > limit + max(limit * share, amount):
                yield f"{name}: {cost[what]:.2f} {what}, {cost[what] - limit:.2f} more than the threshold of {limit}"
    for name in thresholds.keys() - costs.keys():
        yield f"{name}: has a threshold, but is not measured any more"


def main():
    parser = argparse.ArgumentParser(prog="scripts/microbench", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--update", action="store_true", help="write what is measured now as the new thresholds")
    parser.add_argument("program", help=argparse.SUPPRESS)
    arguments = parser.parse_args()

    costs = measure(arguments.program)
    thresholds = json.loads(THRESHOLDS.read_text()) if THRESHOLDS.exists() else {}
    print("| an operation | allocations | threshold | bytes | threshold | time, µs |\n|---|---|---|---|---|---|")
    for name, cost in costs.items():
        limits = thresholds.get(name, {})
        print(f"| {name} | {cost['allocations']:.2f} | {limits.get('allocations', '-')} | {cost['bytes']:.0f} | {limits.get('bytes', '-')} "
              f"| {cost['nanoseconds'] / 1000:.2f} |")
    if arguments.update:
        rounded = {name: {"allocations": round(cost["allocations"], 2), "bytes": round(cost["bytes"])} for name, cost in costs.items()}
        THRESHOLDS.write_text(json.dumps(rounded, indent=2) + "\n")
        return
    found = list(problems(costs, thresholds))
    if found:
        print("", *found, "If that is meant to be: scripts/microbench --update, and say why in the commit.", sep="\n", file=sys.stderr)
        sys.exit(1)
    better = [name for name, cost in costs.items() if cost["allocations"] < thresholds[name]["allocations"] - 0.1]
    if better:
        print(f"\nLess than the threshold: {', '.join(better)}. Keep it so with scripts/microbench --update.", file=sys.stderr)


if __name__ == "__main__":
    main()
