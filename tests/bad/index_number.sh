#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Refused: the index's entry 1 has no sense.
exec "$KB_ROOT/tests/bad/refuses" index_number 2 \
    "the index's entry 1 has no sense"
