#!/usr/bin/env bash
# Runs all demos, one after the other, on the broker at AMQP_URL.
set -euo pipefail
trap 'exit 130' INT
trap 'exit 143' TERM
cd "$(dirname "${BASH_SOURCE[0]}")"

for demo in [0-9]*.sh; do
	"./$demo"
done
printf '\nThat was everything, in %s seconds. docs/tutorials.md tells what to try next.\n' "$SECONDS"
