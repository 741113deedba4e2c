#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Refused: footer.outcome is damaged at byte 167 of its message: larger than its type allows.
exec "$KB_ROOT/tests/bad/refuses" field_large 2 \
    'footer.outcome is damaged at byte 167 of its message: larger than its type allows'
