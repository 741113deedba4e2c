#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Refused: ops of rank 1 come after those of rank 3.
exec "$KB_ROOT/tests/bad/refuses" ops_rank 2 \
    'ops of rank 1 come after those of rank 3'
