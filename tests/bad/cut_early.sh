#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A file that ends inside its first frame.
exec "$KB_ROOT/tests/bad/refuses" cut_early 1 \
    'inside its first frame: nothing can be used'
