#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Refused: a definition that is no message.
exec "$KB_ROOT/tests/bad/refuses" field_definitions_number 2 \
    'a definition that is no message'
