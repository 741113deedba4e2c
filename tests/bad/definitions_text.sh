#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Refused: stream.name is damaged at byte 0 of its message: a text that is not UTF-8.
exec "$KB_ROOT/tests/bad/refuses" definitions_text 2 \
    'stream.name is damaged at byte 0 of its message: a text that is not UTF-8'
