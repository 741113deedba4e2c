#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Refused: ops from 18446744073709551615 on at 0 ps are beyond all limits.
exec "$KB_ROOT/tests/bad/refuses" ops_first 2 \
    'ops from 18446744073709551615 on at 0 ps are beyond all limits'
