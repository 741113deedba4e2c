# SPDX-License-Identifier: Apache-2.0
"""sim_parameters.py KB_SIM ROOT [--write]: what the tree says of the parameters, held against kb-sim.

That is the table in docs/timing-model.md, and share/topologies/default.yaml. With --write both are made anew.
"""
import json
import re
import subprocess
import sys


def say(sim, *options):
    command = [sim, "explain-config", *options]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def table(sim):
    """The rows of the page: what `kernbench` has is shown where it differs."""
    rows = json.loads(say(sim, "--json"))["params"]
    kernbench = json.loads(say(sim, "--topology", "kernbench", "--json"))["params"]
    for row, other in zip(rows, kernbench):
        row["kernbench"] = other["value"] if other["value"] != row["value"] else ""
    form = "| `%(path)s` | %(default)s | %(kernbench)s | %(unit)s | %(least)s | %(most)s | %(source)s |"
    return [form % row for row in rows]


def compare(name, wanted, found):
    for line in wanted:
        if line not in found:
            print(f"missing in {name}: {line}")
    for line in found:
        if line not in wanted:
            print(f"only in {name}: {line}")
    return wanted == found


def main():
    sim, root = sys.argv[1:3]
    page, topology = f"{root}/docs/timing-model.md", f"{root}/share/topologies/default.yaml"
    text = open(page, encoding="utf-8").read()
    found = re.search(r"(?:^\| `[^`|]+` \|(?:[^|\n]*\|){6}\n)+", text, flags=re.M)
    rows = table(sim)
    whole = say(sim, "--topology", "default", "--format", "yaml")
    if sys.argv[3:] == ["--write"]:
        with open(page, "w", encoding="utf-8") as file:
            file.write(text[:found.start()] + "".join(row + "\n" for row in rows) + text[found.end():])
        with open(topology, "w", encoding="utf-8") as file:
            file.write(whole)
        return 0
    same = compare("docs/timing-model.md", rows, found.group(0).splitlines() if found else [])
    same &= compare("share/topologies/default.yaml", whole.splitlines(),
                    open(topology, encoding="utf-8").read().splitlines())
    values = [[row["value"] for row in json.loads(say(sim, "--json", *options))["params"]]
              for options in ([], ["--topology", "default"])]
    if values[0] != values[1]:
        print("the topology `default` is not what is built in")
    return 0 if same and values[0] == values[1] else 1


sys.exit(main())
