#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# An add of scratch memory of which one element was never loaded.
exec "$KB_ROOT/tests/bad/ancestor" uninitialised init undefined
