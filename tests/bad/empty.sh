#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A file of no bytes.
exec "$KB_ROOT/tests/bad/refuses" empty 2 \
    'bad.zst is empty: no trace (is its writer still at work?)'
