#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Bytes that are no trace.
exec "$KB_ROOT/tests/bad/refuses" not_a_trace 2 \
    'not a kb trace: it begins with 68 65 6c 6c'
