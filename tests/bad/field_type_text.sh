#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Refused: footer.message is damaged at byte 167 of its message: not the wire type of its schema.
exec "$KB_ROOT/tests/bad/refuses" field_type_text 2 \
    'footer.message is damaged at byte 167 of its message: not the wire type of its schema'
