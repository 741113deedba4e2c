#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A range that is used beyond its end.
exec "$KB_ROOT/tests/bad/finds" bounds 'allocation' 1 2 alloc-short program
