#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Every set of kernels: casts of every f32 to f16 and bf16, sums and products of every two f16 and bf16.
# Minutes.
#   KB_BIN=build/release/bin tests/campaign/kernels.sh
exec "$KB_BIN/../tests/kbreplay_test_kernels" every
