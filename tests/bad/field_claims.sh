#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Refused: 65536 claims, 1 why-items, 0 immediates; at most 16, 65535, 255, 16.
exec "$KB_ROOT/tests/bad/refuses" field_claims 2 \
    '65536 claims, 1 why-items, 0 immediates; at most 16, 65535, 255, 16'
