#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Refused: a shard with an axis that has no stride.
exec "$KB_ROOT/tests/bad/refuses" definitions_shard 2 \
    'the definition of tensor 0 has no sense: a shard has other axes than the whole'
