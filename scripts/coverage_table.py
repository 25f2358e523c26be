#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Turns what `llvm-cov export` wrote into the table of scripts/coverage, whose help says what is counted."""
import argparse
import glob
import json
import os
import re
import sys

EXPANSION = 1  # kind of a region that stands for a macro (llvm::coverage::CounterMappingRegion)


class Sources:
    def __init__(self):
        self.lines = {}

    def text(self, path, line, column, length=60):
        if path not in self.lines:
            with open(path, encoding="utf-8") as source:
                self.lines[path] = source.read().split("\n")
        # Columns count octets; the sources are ASCII but for a few comments and strings.
        return self.lines[path][line - 1].encode()[column - 1:column - 1 + length].decode(errors="replace")


def is_way_past_a_switch(sources, path, line, column):
    """The region clang makes of a switch without `default` covers the value in its brackets."""
    before = sources.text(path, line, 1, column - 1)
    value = sources.text(path, line, column, 200)
    # A computed number is not checked for completeness by the compiler: its way past is a branch like any other.
    return re.search(r"\bswitch \($", before) and not re.search(r" [&|+\-*/%] ", value)


def branches_of(function, sources):
    """(file, line, column, kind, true count, false count) for each condition; kind: branch, assert or default."""
    names = function["filenames"]
    parents = {}
    for region in function["regions"]:
        if region[7] == EXPANSION:
            parents.setdefault(region[6], (region[5], region[0], region[1]))
    for line, column, _, _, true, false, file_id, _, _ in function["branches"]:
        kind = "branch"
        if file_id not in parents and is_way_past_a_switch(sources, names[file_id], line, column):
            kind = "default"
        while file_id in parents:
            parent, line, column = parents[file_id]
            if re.match(r"assert\b", sources.text(names[parent], line, column)):
                kind = "assert"
            file_id = parent
        yield names[file_id], line, column, kind, true, false


def collect(data, sources):
    """{(file, line, column, index within): [kind, true, false]}; inline functions of headers are many functions of one text."""
    found = {}
    for function in data["functions"]:
        if not all(os.path.exists(name) for name in function["filenames"][:1]):
            continue
        seen = {}
        for path, line, column, kind, true, false in branches_of(function, sources):
            place = (path, line, column, seen.setdefault((path, line, column), 0))
            seen[(path, line, column)] += 1
            entry = found.setdefault(place, [kind, 0, 0])
            entry[1] += true
            entry[2] += false
    return found


def percent(covered, count):
    return round(100.0 * covered / count, 1) if count else 100.0


def module_row(root, folder, data, found, sources):
    row = {"folder": folder, "lines": 0, "lines_covered": 0, "branches": 0, "branches_covered": 0,
           "asserts": 0, "defaults": 0, "missing": [], "apart": []}
    files = {f["filename"]: f for f in data["files"] if os.path.dirname(f["filename"]) == os.path.join(root, folder)}
    for path in files:
        row["lines"] += files[path]["summary"]["lines"]["count"]
        row["lines_covered"] += files[path]["summary"]["lines"]["covered"]
    for (path, line, column, _), (kind, true, false) in sorted(found.items()):
        if os.path.dirname(path) != os.path.join(root, folder):
            continue
        if kind != "branch":
            row["apart"].append({"at": f"{os.path.relpath(path, root)}:{line}:{column}", "kind": kind,
                                 "text": sources.text(path, line, column)})
            row["defaults"] += kind == "default"
            continue
        for side, taken in (("true", true), ("false", false)):
            row["branches"] += 1
            row["branches_covered"] += taken > 0
            if taken == 0:
                row["missing"].append({"at": f"{os.path.relpath(path, root)}:{line}:{column}", "never": side,
                                       "text": sources.text(path, line, column)})
    for source in glob.glob(os.path.join(root, folder, "*.c")):
        with open(source, encoding="utf-8") as text:
            content = text.read()
        row["asserts"] += len(re.findall(r"\bassert\(", content))
        has_code = re.search(r"^\{", content, re.M)
        if has_code and source not in files:
            sys.exit(f"{source}: no program that was looked at holds it, so that nothing is known about it")
    row["lines_percent"] = percent(row["lines_covered"], row["lines"])
    row["branches_percent"] = percent(row["branches_covered"], row["branches"])
    return row


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--format", choices=["text", "json"], default="text")
    parser.add_argument("--missing", action="store_true")
    parser.add_argument("export")
    parser.add_argument("folders", nargs="+")
    options = parser.parse_args()
    with open(options.export, encoding="utf-8") as export:
        data = json.load(export)["data"][0]
    root, sources = os.getcwd(), Sources()
    found = collect(data, sources)
    rows = [module_row(root, folder, data, found, sources) for folder in options.folders]
    if options.format == "json":
        print(json.dumps(rows, indent=2))
        return
    print(f"{'module':<14} {'lines':>7} {'%':>6}  {'branches':>8} {'taken':>6} {'%':>6}  {'asserts':>7} {'defaults':>8}")
    for row in rows:
        print(f"{row['folder']:<14} {row['lines']:>7} {row['lines_percent']:>6}  {row['branches']:>8} {row['branches_covered']:>6} "
              f"{row['branches_percent']:>6}  {row['asserts']:>7} {row['defaults']:>8}")
    if options.missing:
        for row in rows:
            for branch in row["missing"]:
                print(f"{branch['at']}: never {branch['never']}: {branch['text']}")
            for branch in row["apart"]:
                print(f"{branch['at']}: counted apart ({branch['kind']}): {branch['text']}")


main()
