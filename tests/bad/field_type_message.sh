#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Refused: footer.rank is damaged at byte 167 of its message: not the wire type of its schema.
exec "$KB_ROOT/tests/bad/refuses" field_type_message 2 \
    'footer.rank is damaged at byte 167 of its message: not the wire type of its schema'
