#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# docs/write-a-collective.md, executed: each command prints what the page shows, and the file that it ends
# with is the example. What is printed now is put into the page by
#   cd $(mktemp -d) && PATH=BUILD/bin:$PATH python3 tests/cli/guide.py docs/write-a-collective.md --bless
PATH="$KB_BIN:$PATH"
export PATH
python3 "$KB_ROOT/tests/cli/guide.py" "$KB_ROOT/docs/write-a-collective.md" || exit 1
cmp work/around.c "$KB_ROOT/examples/collective/around.c"
