#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A math op that ends after the next command of its stream has been issued.
exec "$KB_ROOT/tests/bad/finds" causality 'program order' 2 9 done-late
