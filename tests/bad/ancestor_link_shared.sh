#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Two loads at once over one link, each in the time that it would take alone.
exec "$KB_ROOT/tests/bad/ancestor" link-shared link bandwidth
