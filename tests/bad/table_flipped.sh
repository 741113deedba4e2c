#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Refused: the seek table is damaged, behind 4 whole frames.
exec "$KB_ROOT/tests/bad/refuses" table_flipped 2 \
    'the seek table is damaged, behind 4 whole frames'
