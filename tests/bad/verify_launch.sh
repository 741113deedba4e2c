#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A second launch that does not wait for the first one.
exec "$KB_ROOT/tests/bad/finds" claims 'launch' 1 13 drop-claim program
