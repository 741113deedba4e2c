#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Refused: rank 0 goes on with op 3 in frame 1, where op 0 belongs.
exec "$KB_ROOT/tests/bad/refuses" index_first 2 \
    'rank 0 goes on with op 3 in frame 1, where op 0 belongs'
