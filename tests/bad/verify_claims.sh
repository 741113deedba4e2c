#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A math op that does not wait for the one before it on its engine.
exec "$KB_ROOT/tests/bad/finds" claims 'engine' 2 9 drop-claim
