#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A load whose source is said to lie in another kind of memory, where nothing was written.
exec "$KB_ROOT/tests/bad/ancestor" space-defaulted init undefined
