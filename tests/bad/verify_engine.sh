#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A sum that is still under way when its engine, which serves one op after another, starts the next.
exec "$KB_ROOT/tests/bad/finds" engine 'overlap' 2 4 done-late
