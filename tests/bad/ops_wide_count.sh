#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Refused: field 3 of ops is no number of its size.
exec "$KB_ROOT/tests/bad/refuses" ops_wide_count 2 \
    'field 3 of ops is no number of its size'
