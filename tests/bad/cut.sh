#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A file that ends inside a frame: what is whole is used.
exec "$KB_ROOT/tests/bad/refuses" cut 1 \
    'inside frame 3: 3 whole frames are used'
