#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Refused: the index tells of ops 0 to 4, the packet holds 5 from 1 on.
exec "$KB_ROOT/tests/bad/refuses" field_ops_index 2 \
    'the index tells of ops 0 to 4, the packet holds 5 from 1 on'
