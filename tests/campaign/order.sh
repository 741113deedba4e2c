#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The order check against a plain search of the graph, on 100000 random programs: about five minutes.
#   KB_BIN=build/release/bin tests/campaign/order.sh
exec "$KB_BIN/../tests/kbreplay_test_order" 100000
