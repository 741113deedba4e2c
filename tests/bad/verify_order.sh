#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A slot that is given back while a math op may still read it, though it no longer did.
exec "$KB_ROOT/tests/bad/finds" order 'read/release' 2 9 go-on
