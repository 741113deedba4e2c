#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Refused: stream.name is damaged at byte 0 of its message: a text with a zero byte.
exec "$KB_ROOT/tests/bad/refuses" definitions_zero 2 \
    'stream.name is damaged at byte 0 of its message: a text with a zero byte'
