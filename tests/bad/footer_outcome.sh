#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Refused: the footer has no sense (outcome 0, 9000 ps).
exec "$KB_ROOT/tests/bad/refuses" footer_outcome 2 \
    'the footer has no sense (outcome 0, 9000 ps)'
