#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Refused: ops from 0 on at 9223372036854775807 ps are beyond all limits.
exec "$KB_ROOT/tests/bad/refuses" ops_base 2 \
    'ops from 0 on at 9223372036854775807 ps are beyond all limits'
