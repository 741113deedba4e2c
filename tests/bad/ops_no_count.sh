#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Refused: 0 ops in a column of 5 bytes.
exec "$KB_ROOT/tests/bad/refuses" ops_no_count 2 \
    '0 ops in a column of 5 bytes'
