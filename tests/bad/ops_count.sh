#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Refused: 4294967295 ops in a column of 5 bytes.
exec "$KB_ROOT/tests/bad/refuses" ops_count 2 \
    '4294967295 ops in a column of 5 bytes'
