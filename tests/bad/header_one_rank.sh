#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Refused: the file of rank 1 (rank-00001.zst) is missing: of a run of 2 ranks 1 files are here.
exec "$KB_ROOT/tests/bad/refuses" header_one_rank 2 \
    'the file of rank 1 (rank-00001.zst) is missing: of a run of 2 ranks 1 files are here'
