"""Compares Autobahn's results with the expected ones: every difference is a failure.

    compare.py EXPECTED INDEX… [--update]

Each INDEX is the index.json of a run, and together they have all cases. --update writes EXPECTED.
"""

import json
import sys

GOOD = {"OK", "INFORMATIONAL"}
SHOWN = 20


def number(case):
    return [int(part) for part in case.split(".")]


def read(index_path):
    with open(index_path) as file:
        (cases,) = json.load(file).values()
    return {
        case: {"behavior": result["behavior"], "behaviorClose": result["behaviorClose"]}
        for case, result in cases.items()}


def main(expected_path, *arguments):
    updates = "--update" in arguments
    unordered = {}
    for index_path in arguments:
        unordered.update(read(index_path) if index_path != "--update" else {})
    results = {case: unordered[case] for case in sorted(unordered, key=number)}
    if updates:
        rows = [f"{json.dumps(case)}: {json.dumps(result)}" for case, result in results.items()]
        with open(expected_path, "w") as file:
            file.write("{\n" + ",\n".join(rows) + "\n}\n")
    with open(expected_path) as file:
        expected = json.load(file)
    differences = [
        f"  {case}: expected {expected.get(case, 'no such case')}, got {results.get(case, 'nothing')}"
        for case in sorted({*expected, *results}, key=number) if expected.get(case) != results.get(case)]
    differences += [
        f"  {case}: {result} may not be expected"
        for case, result in expected.items() if not set(result.values()) <= GOOD]
    print(f"  {len(results)} cases, {len(differences)} different from {expected_path.rsplit('/', 1)[-1]}")
    for difference in differences[:SHOWN]:
        print(difference)
    if len(differences) > SHOWN:
        print(f"  and {len(differences) - SHOWN} more")
    return bool(differences)


sys.exit(main(*sys.argv[1:]))
