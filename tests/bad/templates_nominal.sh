#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Refused: a template of 14 fields begins with 13.
exec "$KB_ROOT/tests/bad/refuses" templates_nominal 2 \
    'a template of 14 fields begins with 13'
