#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Refused: the index knows 1 frames, the file has 2.
exec "$KB_ROOT/tests/bad/refuses" index_fewer 2 \
    'the index knows 1 frames, the file has 2'
