#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Refused: a template has no sense (kind 0, blocks 3, reached 4).
exec "$KB_ROOT/tests/bad/refuses" templates_kind 2 \
    'a template has no sense (kind 0, blocks 3, reached 4)'
