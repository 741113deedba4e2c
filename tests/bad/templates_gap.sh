#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Refused: templates from 5 on, but 0 came before.
exec "$KB_ROOT/tests/bad/refuses" templates_gap 2 \
    'templates from 5 on, but 0 came before'
