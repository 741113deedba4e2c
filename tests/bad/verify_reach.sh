#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# An engine that is given the memory of another PE.
exec "$KB_ROOT/tests/bad/finds" bounds 'reach' 1 5 source-peer program
