#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The example of docs/lint.md, executed, and its table of checks against the one that is built in. What is
# printed now is put into the page by
#   cd $(mktemp -d) && PATH=BUILD/bin:$PATH python3 tests/cli/guide.py docs/lint.md --bless
PATH="$KB_BIN:$PATH"
export PATH
python3 "$KB_ROOT/tests/cli/guide.py" "$KB_ROOT/docs/lint.md" || exit 1
sed -n 's/^KBS_[A-Z]*([A-Z]*, \([a-z]*\), .*/\1/p' "$KB_ROOT/libkbsim/src/lint/checks.def" >built
sed -n '/^| check | finds/,/^$/s/^| \([a-z][a-z]*\) | .*/\1/p' "$KB_ROOT/docs/lint.md" |
    grep -v '^check$' >said
cmp built said
