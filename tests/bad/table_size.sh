#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Refused: the seek table does not agree with the head of frame 0.
exec "$KB_ROOT/tests/bad/refuses" table_size 2 \
    'the seek table does not agree with the head of frame 0'
