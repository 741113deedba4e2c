#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Times of collectives follow their formulas: a sample of what tests/campaign/fits.py looks at.
set -eu
python3 -B "$KB_ROOT/tests/campaign/fits.py" "$KB_BIN/kb-sim" "$KB_BIN/kb-export" --sample >table ||
    { cat table; exit 1; }
