#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A writer that is killed leaves whole frames with the records that it was given; a sample of the campaign.
exec "$KB_ROOT/tests/campaign/kill.sh" 7 3
