#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Refused: 2 ops in a column of 1 bytes.
exec "$KB_ROOT/tests/bad/refuses" late_two 2 \
    '2 ops in a column of 1 bytes'
