#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The page on kernels shows the code of its example, which runs and verifies, and all functions of math.def.
set -eu
python3 -B "$KB_ROOT/tests/equiv/kernels_page.py" "$KB_ROOT"
"$KB_BIN/../tests/kernels-example" norm.zst
"$KB_BIN/kb-replay" norm.zst --verify | grep -q '^verified: pass'
