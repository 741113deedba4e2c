#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A slot is read after it was given back, although nothing fills it again.
exec "$KB_ROOT/tests/bad/ancestor" slot-read-late order read/release
