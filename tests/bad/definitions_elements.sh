#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Refused: initial contents of a dtype that has no size.
exec "$KB_ROOT/tests/bad/refuses" definitions_elements 2 \
    'the definition of initial 0 has no sense: its elements have no size'
