#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A sample of random programs, whose memory the replay in Python must find. See tests/campaign/oracle.sh.
exec "$KB_ROOT/tests/campaign/oracle.sh" 50 1
