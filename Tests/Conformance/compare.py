"""Compares Autobahn's index.json with the expected results: every difference is a failure.

    compare.py INDEX EXPECTED [--update]
"""

import json
import sys

GOOD = {"OK", "INFORMATIONAL"}
SHOWN = 20


def number(case):
    return [int(part) for part in case.split(".")]


def main(index_path, expected_path, *options):
    with open(index_path) as file:
        (cases,) = json.load(file).values()
    results = {
        case: {"behavior": cases[case]["behavior"], "behaviorClose": cases[case]["behaviorClose"]}
        for case in sorted(cases, key=number)}
    if options == ("--update",):
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
