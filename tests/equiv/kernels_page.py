# SPDX-License-Identifier: Apache-2.0
"""docs/kernels.md: its code is that of its examples, its table that of math.def. Takes the root."""
import re
import sys

ARGUMENTS = {"UNARY": "out, a", "CAST": "out, a", "ROWS": "out, a", "REDUCE": "out, a", "BINARY": "out, a, b",
             "TERNARY": "out, a, b, c", "SCALAR": "out, a, value", "FILL": "out, value"}

root = sys.argv[1]
page = open(f"{root}/docs/kernels.md", encoding="utf-8").read()
example = open(f"{root}/tests/tools/kernels-example.c", encoding="utf-8").read()
for name in ("scaled_sum", "shares"):
    example += open(f"{root}/examples/bench/{name}.c", encoding="utf-8").read()
table = open(f"{root}/libkbsim/include/kbsim/math.def", encoding="utf-8").read()
wrong = 0

blocks = re.findall(r"```c\n(.*?)```", page, re.S)
if len(blocks) < 4:
    sys.exit("the page shows no code")
for block in blocks:
    if block not in example:
        print("this code of the page is in no example:\n" + block)
        wrong = 1

rows = re.findall(r'^TL_MATH\((\w+), \w+, (\w+), (\w+), "(.*)"\)$', table, re.M)
for name, form, dtypes, text in rows:
    on = "floats" if dtypes == "FLOAT" else "numbers"
    row = f"| `tl_{name}(k, {ARGUMENTS[form]})` | {text} | {on} |\n"
    if row not in page:
        print("the page lacks: " + row)
        wrong = 1
if not rows or page.count("| `tl_") != len(rows) + 3:
    print("the page has other functions than math.def")
    wrong = 1
sys.exit(wrong)
