#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Refused: 0 claims, 1 why-items, 17 immediates; at most 16, 65535, 255, 16.
exec "$KB_ROOT/tests/bad/refuses" field_immediates 2 \
    '0 claims, 1 why-items, 17 immediates; at most 16, 65535, 255, 16'
