#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A sample of clean random programs, each replayed in two other orders. See tests/campaign/programs.sh.
exec "$KB_ROOT/tests/campaign/programs.sh" 40 1 2
