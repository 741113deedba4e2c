#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Refused: templates beyond all numbers.
exec "$KB_ROOT/tests/bad/refuses" field_templates_beyond 2 \
    'templates beyond all numbers'
