"""Writes the results of a comparison: everything as FILE.json, and the times and peak memories for two dashboards beside it.

FILE.github.json is an array of {name, unit, value}; FILE.bencher.json is in the Bencher Metric Format.
"""

import json


def write(path, text):
    """Whole or not at all."""
    partial = path.with_name(path.name + ".partial")
    partial.write_text(text)
    partial.replace(path)


def write_results(path, everything, seconds, memory=None):
    """`seconds` and `memory` (bytes) by the name of what was measured."""
    memory = memory or {}
    github = [{"name": f"{name} time", "unit": "s", "value": value} for name, value in seconds.items()]
    github += [{"name": f"{name} memory", "unit": "bytes", "value": value} for name, value in memory.items()]
    # Bencher's built-in latency is in nanoseconds.
    bencher = {name: {"latency": {"value": 1e9 * value}} for name, value in seconds.items()}
    for name, value in memory.items():
        bencher.setdefault(name, {})["memory"] = {"value": value}
    path.parent.mkdir(parents=True, exist_ok=True)
    for suffix, content in ((".json", everything), (".github.json", github), (".bencher.json", bencher)):
        write(path.with_suffix(suffix), json.dumps(content, indent=2) + "\n")
