#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Refused: 3 bytes for 2 elements of f16.
exec "$KB_ROOT/tests/bad/refuses" definitions_bytes 2 \
    'the definition of initial 0 has no sense: its bytes are not those of its elements'
