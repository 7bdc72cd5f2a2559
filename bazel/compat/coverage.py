#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Turns gcov's JSON into lcov's tracefile format, and merges tracefiles.

Called by Bazel after each test with --coverage_dir (gcov's output) and at the
end with --reports_file (a list of tracefiles); writes --output_file.
"""

import argparse
import collections
import glob
import gzip
import json
import os


class Source:
    def __init__(self):
        self.lines = collections.Counter()
        self.functions = collections.Counter()
        self.starts = {}


def read_gcov(path, sources):
    with gzip.open(path, "rt") as f:
        data = json.load(f)
    for entry in data["files"]:
        s = sources[entry["file"]]
        for line in entry["lines"]:
            s.lines[line["line_number"]] += line["count"]
        for fn in entry["functions"]:
            s.starts[fn["name"]] = fn["start_line"]
            s.functions[fn["name"]] += fn["execution_count"]


def read_tracefile(path, sources):
    s = None
    with open(path) as f:
        for text in f:
            key, _, value = text.rstrip("\n").partition(":")
            if key == "SF":
                s = sources[value]
            elif key == "FN":
                start, name = value.split(",", 1)
                s.starts[name] = int(start)
            elif key == "FNDA":
                count, name = value.split(",", 1)
                s.functions[name] += int(count)
            elif key == "DA":
                number, count = value.split(",")[:2]
                s.lines[int(number)] += int(count)


def write_tracefile(path, sources, keep):
    with open(path, "w") as f:
        for name in sorted(sources):
            s = sources[name]
            if not s.lines or (keep and name not in keep):
                continue
            f.write("SF:%s\n" % name)
            for fn in sorted(s.starts):
                f.write("FN:%d,%s\n" % (s.starts[fn], fn))
            for fn in sorted(s.starts):
                f.write("FNDA:%d,%s\n" % (s.functions[fn], fn))
            f.write("FNF:%d\nFNH:%d\n" % (len(s.starts), sum(1 for c in s.functions.values() if c)))
            for number in sorted(s.lines):
                f.write("DA:%d,%d\n" % (number, s.lines[number]))
            f.write("LH:%d\nLF:%d\n" % (sum(1 for c in s.lines.values() if c), len(s.lines)))
            f.write("end_of_record\n")


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--coverage_dir")
    p.add_argument("--reports_file")
    p.add_argument("--output_file", required=True)
    p.add_argument("--source_file_manifest")
    args, _ = p.parse_known_args()

    sources = collections.defaultdict(Source)
    if args.coverage_dir:
        for path in glob.glob(args.coverage_dir + "/**/*.gcov.json.gz", recursive=True):
            read_gcov(path, sources)
    if args.reports_file:
        with open(args.reports_file) as f:
            for path in f.read().split():
                if os.path.exists(path):
                    read_tracefile(path, sources)
    keep = set()
    if args.source_file_manifest:
        with open(args.source_file_manifest) as f:
            keep = set(f.read().split())
    write_tracefile(args.output_file, sources, keep)


if __name__ == "__main__":
    main()
