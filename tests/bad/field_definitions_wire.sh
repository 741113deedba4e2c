#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Refused: definitions that are no protobuf.
exec "$KB_ROOT/tests/bad/refuses" field_definitions_wire 2 \
    'definitions that are no protobuf'
