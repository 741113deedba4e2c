#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A peek that saw something else than memory holds.
exec "$KB_ROOT/tests/bad/finds" assumption 'contents' 1 4 wrong-peek program
