#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Two slices of HBM taken for one: a rank's result lands in its neighbour's.
exec "$KB_ROOT/tests/bad/ancestor" slices-collapsed value missing
