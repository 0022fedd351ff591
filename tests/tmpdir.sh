#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Says where tests put their temporary files: in memory where there is room,
# since none of it outlives the test and what a power cut leaves is computed.
# TMPDIR, if it is set, is where somebody wants them.
if [ -z "${TMPDIR:-}" ] && [ -d /dev/shm ] && [ -w /dev/shm ] &&
	[ "$(df -Pk /dev/shm | awk 'NR == 2 { print $4 }')" -gt 2000000 ]; then
	echo /dev/shm
else
	echo "${TMPDIR:-/tmp}"
fi
