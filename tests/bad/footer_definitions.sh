#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Refused: the definitions have another digest than the footer says.
exec "$KB_ROOT/tests/bad/refuses" footer_definitions 2 \
    'the definitions have another digest than the footer says'
