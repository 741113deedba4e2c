#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# An add of scratch memory that comes before its load: it takes what the former load left there.
exec "$KB_ROOT/tests/bad/ancestor" load-later value stale
