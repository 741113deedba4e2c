#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# An add of scratch memory that nothing is loaded into: it takes what the former load left there.
exec "$KB_ROOT/tests/bad/ancestor" load-never value stale
