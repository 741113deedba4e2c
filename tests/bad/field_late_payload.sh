#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Refused: an amended op carries bytes.
exec "$KB_ROOT/tests/bad/refuses" field_late_payload 2 \
    'an amended op carries bytes'
