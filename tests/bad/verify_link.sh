#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A copy that passes its links in no time, and one that passes a link while another takes all of it.
set -eu
"$KB_ROOT/tests/bad/finds" link 'too fast' 3 7 faster
exec "$KB_ROOT/tests/bad/finds" link 'bandwidth' 1 5 ignore-contention tree
