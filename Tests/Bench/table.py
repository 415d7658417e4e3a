"""Prints wsload's JSON lines (labels `workload:server`) as a table of medians over the repeats.

Compare `per CPU second`, messages per second of the server's CPU time: what else the machine does moves
it by a few per cent, and messages per second by a factor.
"""

import json
import statistics
import sys
from collections import defaultdict

TITLES = {
    "a": "64 B, 1 connection", "b": "64 B, 100 connections", "c": "64 B, 100 connections, 16 in flight",
    "d": "64 KiB, 10 connections, 2 in flight", "e": "1 KiB, 1,000 connections",
    "g": "handshake, close and end, 32 at a time", "f": "memory per idle connection",
    "h": "1 KiB compressed, 100 connections", "i": "16 KiB compressed, 20 connections",
    "j": "memory per idle connection, compression"}
FLOOR = "raw-epoll"


def main(path):
    runs = defaultdict(lambda: defaultdict(list))
    with open(path) as lines:
        for line in lines:
            run = json.loads(line)
            workload, server = run["label"].split(":", 1)
            runs[workload][server].append(run)

    def median(workload, server, key):
        rows = runs[workload].get(server, [])
        return statistics.median(run[key] for run in rows) if rows else 0

    row = "{:40} {:15} {:>10} {:>15} {:>8} {:>8} {:>8} {:>7}"
    print(row.format("workload", "server", "per second", "per CPU second", "of floor", "p50 µs", "p99 µs", "errors"))
    for workload in runs:
        for server, rows in runs[workload].items():
            title = f"{workload}  {TITLES.get(workload, '')}"
            errors = sum(run["errors"] for run in rows)
            if workload in "fj":
                count = rows[-1].get("conns") or rows[-1].get("connected") or ""
                print(f"{title:40} {server:15} {rows[-1]['bytes_per_conn']:10.0f} B, "
                      f"{rows[-1]['bytes_per_conn_touched']:.0f} B after one echo {count}".ljust(106)
                      + f"{errors:>7}")
                continue
            floor = median(workload, FLOOR, "msgs_per_cpu_s")
            per_cpu = median(workload, server, "msgs_per_cpu_s")
            print(row.format(
                title, server, f"{median(workload, server, 'per_s'):.0f}", f"{per_cpu:.0f}",
                f"{per_cpu / floor:.2f}" if floor else "", f"{median(workload, server, 'p50_us'):.0f}",
                f"{median(workload, server, 'p99_us'):.0f}", errors))
            for run in rows:
                if run["errors"]:
                    print(f"    {run['first_error']}")


main(sys.argv[1])
