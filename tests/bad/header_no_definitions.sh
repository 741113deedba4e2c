#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Refused: no file of the trace has definitions.
exec "$KB_ROOT/tests/bad/refuses" header_no_definitions 2 \
    'no file of the trace has definitions'
