#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Refused: a header of rank 0 of 0 ranks.
exec "$KB_ROOT/tests/bad/refuses" header_no_ranks 2 \
    'a header of rank 0 of 0 ranks'
