#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Refused: footer.record_digest is damaged at byte 167 of its message: a digest has 16 bytes.
exec "$KB_ROOT/tests/bad/refuses" field_digest 2 \
    'footer.record_digest is damaged at byte 167 of its message: a digest has 16 bytes'
