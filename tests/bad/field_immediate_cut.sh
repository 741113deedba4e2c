#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Refused: template.immediate is damaged at byte 42 of its message: a cut number.
exec "$KB_ROOT/tests/bad/refuses" field_immediate_cut 2 \
    'template.immediate is damaged at byte 42 of its message: a cut number'
