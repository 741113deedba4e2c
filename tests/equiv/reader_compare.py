# SPDX-License-Identifier: Apache-2.0
"""reader_compare.py PAGE TRACE JSONL [--loose] [--cut]: the page's reader finds what kb-export wrote.

--loose: random records, which break rules of sense (times that fall, why-items that do not sum).
--cut: the file ends too early.
"""
import json
import sys

import export_lines
import kbpage


def main():
    page, path, exported = sys.argv[1:4]
    trace = kbpage.Trace(path, loose="--loose" in sys.argv, cut="--cut" in sys.argv)
    wanted = export_lines.lines(trace, page)
    count = 0
    with open(exported, encoding="utf-8") as file:
        for count, line in enumerate(file, 1):
            have, want = json.loads(line), next(wanted, None)
            if have == want:
                continue
            print(f"{path}: line {count} of kb-export is not what the format page says")
            for key in sorted(set(have) | set(want or {})):
                if have.get(key) != (want or {}).get(key):
                    print(f"  {key}: kb-export {have.get(key)!r}, page {(want or {}).get(key)!r}")
            return 1
    if next(wanted, None) is not None or count == 0:
        print(f"{path}: kb-export stops after {count} lines")
        return 1
    return 0


sys.exit(main())
