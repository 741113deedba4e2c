#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A slot is filled again while what it held is still read: the credit was not awaited.
exec "$KB_ROOT/tests/bad/ancestor" slot-wraps queue credit
