#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The examples of docs/configuration.md: its files are written, and its commands run, in their order.
python3 - "$KB_ROOT/docs/configuration.md" <<'END' || exit 1
import os, re, sys
page = open(sys.argv[1], encoding="utf-8").read()
blocks = re.findall(r"^```(yaml (\S+)|sh)\n(.*?)^```", page, flags=re.M | re.S)
if len(blocks) < 6:
    sys.exit("the page has no examples")
with open("commands", "w", encoding="utf-8") as commands:
    for kind, name, text in blocks:
        if kind == "sh":
            commands.write(text)
            continue
        os.makedirs(os.path.dirname(name) or ".", exist_ok=True)
        with open(name, "w", encoding="utf-8") as file:
            file.write(text)
END
PATH=$KB_BIN:$PATH sh -e ./commands
