#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A load whose source is said to lie in another kind of memory, where other data lie.
exec "$KB_ROOT/tests/bad/ancestor" space-of-others value foreign
