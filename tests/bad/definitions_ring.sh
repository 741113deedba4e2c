#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Refused: a queue without slots.
exec "$KB_ROOT/tests/bad/refuses" definitions_ring 2 \
    'the definition of queue 0 has no sense: a ring has slots, and slots have bytes'
