#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The page of the timing model and the topology `default` list the parameters that kb-sim has, with their
# defaults, bounds and sources. After a change of params.def:
# python3 tests/cli/sim_parameters.py KB_SIM . --write
python3 -B "$KB_ROOT/tests/cli/sim_parameters.py" "$KB_BIN/kb-sim" "$KB_ROOT"
