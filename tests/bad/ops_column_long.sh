#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Refused: residuals or bytes are left after the packet's last op.
exec "$KB_ROOT/tests/bad/refuses" ops_column_long 2 \
    "residuals or bytes are left after the packet's last op"
