#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Refused: a cause of number 65536.
exec "$KB_ROOT/tests/bad/refuses" definitions_cause 2 \
    'the definition of cause 0 has no sense: causes have numbers up to 65535'
