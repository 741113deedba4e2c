#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Refused: the first packet is no header.
exec "$KB_ROOT/tests/bad/refuses" header_dropped 2 \
    'the first packet is no header'
