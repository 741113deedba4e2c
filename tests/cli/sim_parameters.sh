#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The page of the timing model lists the parameters that kb-sim has, with their defaults, bounds and sources.
"$KB_BIN/kb-sim" explain-config --json >config.json || exit 1
python3 - config.json "$KB_ROOT/docs/timing-model.md" <<'END'
import json, sys
wanted = ["| `%(path)s` | %(default)s | %(unit)s | %(least)s | %(most)s | %(source)s |" % row
          for row in json.load(open(sys.argv[1]))["params"]]
found = [line for line in open(sys.argv[2], encoding="utf-8").read().splitlines()
         if line.startswith("| `") and line.count("|") == 7]
for line in sorted(set(wanted) ^ set(found)):
    print("missing in the page:" if line in wanted else "only in the page:", line)
sys.exit(wanted != found)
END
