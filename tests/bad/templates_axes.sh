#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Refused: operand 0 has 1 extents and 0 strides.
exec "$KB_ROOT/tests/bad/refuses" templates_axes 2 \
    'operand 0 has 1 extents and 0 strides'
