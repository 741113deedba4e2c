#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# kb-sim shows to plugins what their headers declare, and nothing else. Shared libraries show all they have.
ldd "$KB_BIN/kb-sim" | grep -q libkbsim && exit 0
exec python3 "$KB_ROOT/tests/cli/own_symbols.py" "$KB_ROOT" "$KB_BIN/kb-sim"
