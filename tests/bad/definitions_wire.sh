#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Refused: engine.(field) is damaged at byte 4 of its message: no protobuf field.
exec "$KB_ROOT/tests/bad/refuses" definitions_wire 2 \
    'engine.(field) is damaged at byte 4 of its message: no protobuf field'
