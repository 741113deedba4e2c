#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A copy that sends what nothing has written.
exec "$KB_ROOT/tests/bad/finds" init 'undefined' 2 7 source-far
