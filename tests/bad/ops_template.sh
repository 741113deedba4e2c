#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Refused: ops of template 99, but 6 are known.
exec "$KB_ROOT/tests/bad/refuses" ops_template 2 \
    'ops of template 99, but 6 are known'
