# SPDX-License-Identifier: Apache-2.0
"""probe_page.py KB_SIM ROOT [--write]: the tables of docs/probe.md, held against what kb-sim probe measures.

With --write the tables are made anew.
"""
import json
import re
import subprocess
import sys

SIZES = [1, 256, 4096, 65536, 1048576]


def time_of(ps):
    """A time with six digits at most, as a reader likes it: ns, from 10 us on us."""
    return f"{ps / 1e3:.3f} ns" if ps < 10_000_000 else f"{ps / 1e6:.3f} us"


def transfers(report):
    """A line a way, a column a size; and the bandwidth of the longest."""
    sizes = " | ".join(f"{size} B" for size in SIZES)
    lines = [f"| way | {sizes} | GB/s of the longest | differences |",
             "| --- |" + " ---: |" * (len(SIZES) + 2)]
    ways = {}
    for row in report["transfers"]:
        if row["bytes"] > 0:
            ways.setdefault((row["what"], row["target"]), []).append(row)
    for (what, target), rows in ways.items():
        cells = [time_of(row["time_ps"]) for row in rows]
        differences = sum(row["difference_ps"] != 0 for row in rows)
        lines.append(f"| {what}: {target} | {' | '.join(cells)} | {rows[-1]['gbps']:.1f} | {differences} |")
    return lines


def launches(report):
    lines = ["| a launch on | until PE 0 begins | until all hosts hear | differences |",
             "| --- | ---: | ---: | ---: |"]
    rounds = {row["target"]: row for row in report["transfers"] if row["what"] == "round trip"}
    for row in report["transfers"]:
        if row["what"] == "launch":
            back = rounds[row["target"]]
            differ = (row["difference_ps"] != 0) + (back["difference_ps"] != 0)
            lines.append(f"| {row['target']} | {time_of(row['time_ps'])} | {time_of(back['time_ps'])} "
                         f"| {differ} |")
    return lines


def barriers(report):
    lines = ["| a barrier of | until PE 0 goes on | differences |", "| --- | ---: | ---: |"]
    for row in report["transfers"]:
        if row["what"] == "barrier":
            differs = int(row["difference_ps"] != 0)
            lines.append(f"| {row['target']} | {time_of(row['time_ps'])} | {differs} |")
    return lines


def crowds(report):
    lines = ["| at once | PEs | GB/s | the channels' sum | the PEs' links | first done / last done |",
             "| --- | ---: | ---: | ---: | ---: | ---: |"]
    for row in report["at_once"]:
        fairness = row["first_done_ps"] / row["last_done_ps"]
        lines.append(f"| {row['what']} | {row['pes']} | {row['gbps']:.1f} | {row['channels_gbps']:.0f} "
                     f"| {row['pes_gbps']:.0f} | {fairness:.3f} |")
    return lines


def outstanding(sim):
    lines = ["| `dma.reads_outstanding` | its own slice | a slice of the next cube | of the far cube "
             "| of the next package |", "| ---: | ---: | ---: | ---: | ---: |"]
    for most in (1, 2, 4, 8, 16, 32, 64):
        report = probe(sim, "--alone", "--sizes", "1Mi", "--set", f"dma.reads_outstanding={most}")
        found = {row["target"]: row["gbps"] for row in report["transfers"] if row["what"] == "read"}
        cells = [f"{found[name]:.1f}" for name in ("its own slice", "a slice of the next cube",
                                                   "a slice of the far cube", "a slice of the next package")]
        lines.append(f"| {most} | {' | '.join(cells)} |")
    return lines


def probe(sim, *options):
    done = subprocess.run([sim, "probe", "--json", *options], check=True, capture_output=True, text=True)
    return json.loads(done.stdout)


def main():
    sim, root = sys.argv[1:3]
    path = f"{root}/docs/probe.md"
    text = open(path, encoding="utf-8").read()
    report = probe(sim, "--sizes", ",".join(str(size) for size in SIZES))
    made = text
    for name, lines in (("transfers", transfers(report)), ("outstanding", outstanding(sim)),
                        ("launches", launches(report)), ("barriers", barriers(report)),
                        ("crowds", crowds(report))):
        mark = f"<!-- made: {name} -->\n"
        table = "".join(line + "\n" for line in lines)
        made = re.sub(re.escape(mark) + r"(?:\|.*\n)*", lambda _, new=mark + table: new, made)
        if table not in made:
            print(f"{path} has no place for {name}")
            return 1
    if sys.argv[3:] == ["--write"]:
        with open(path, "w", encoding="utf-8") as file:
            file.write(made)
        return 0
    for old, new in zip(text.splitlines(), made.splitlines()):
        if old != new:
            print(f"docs/probe.md has:  {old}\nit is:              {new}")
    if text != made:
        print("after a change of the model: python3 tests/cli/probe_page.py KB_SIM . --write")
    return 0 if text == made else 1


sys.exit(main())
