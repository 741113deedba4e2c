#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Refused: footer.outcome is damaged at byte 167 of its message: not the wire type of its schema.
exec "$KB_ROOT/tests/bad/refuses" field_type_number 2 \
    'footer.outcome is damaged at byte 167 of its message: not the wire type of its schema'
