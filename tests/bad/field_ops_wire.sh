#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Refused: ops that are no protobuf.
exec "$KB_ROOT/tests/bad/refuses" field_ops_wire 2 \
    'ops that are no protobuf'
