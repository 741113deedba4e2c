# SPDX-License-Identifier: Apache-2.0
"""Holds what kb-sim exports against what the headers for plugins declare: own_symbols.py ROOT KB-SIM."""
import re
import subprocess
import sys

HEADERS = ["coll", "tl", "view", "host", "bench"]
OF_TRACE = {"kb_dtype_size", "kb_word_name", "kb_word_value"}


def declared(root):
    names = set(OF_TRACE)
    for header in HEADERS:
        with open(f"{root}/libkbsim/include/kbsim/{header}.h", encoding="utf-8") as file:
            text = re.sub(r"/\*.*?\*/", "", file.read(), flags=re.S)
        text = re.sub(r"^#define(?:.*\\\n)*.*\n", "", text, flags=re.M)
        for match in re.finditer(r"^(?!typedef)([a-z][\w \*]*?)\b((?:tl|kbs?)_\w+)\(", text, flags=re.M):
            if "static" not in match.group(1):
                names.add(match.group(2))
    return names


def exported(tool):
    done = subprocess.run(["nm", "-D", "--defined-only", tool], check=True, capture_output=True, text=True)
    return {line.split()[2] for line in done.stdout.splitlines() if line.split()[1] == "T"}


def main():
    wanted, there = declared(sys.argv[1]), exported(sys.argv[2])
    ours = {name for name in there if re.match(r"(tl|kbs?)_", name)}
    for name in sorted(wanted - there):
        print(f"{name} is declared for plugins, and kb-sim does not show it (cmake/plugin.symbols)")
    for name in sorted(ours - wanted):
        print(f"{name} is shown to plugins, and no header for them declares it (cmake/plugin.symbols)")
    if len(wanted) < 50:
        print(f"only {len(wanted)} functions were found in the headers")
    return 0 if wanted == ours and len(wanted) >= 50 else 1


sys.exit(main())
