#!/usr/bin/env bash
# Runs all demos, one after the other, or those whose numbers are given: demos/all.sh 2 5. lib.sh tells how to set the
# pace.
set -euo pipefail

folder=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
demos=()
if (($# == 0)); then
	demos=("$folder"/[0-9]*.sh)
fi
for number in "$@"; do
	demo=$(compgen -G "$folder/$(printf '%02d' "$number" 2>/dev/null)-*.sh") || {
		echo "all.sh: there is no demo $number" >&2
		exit 2
	}
	demos+=("$demo")
done

# shellcheck source=demos/place.sh
source "$folder/place.sh"
trap 'exit 130' INT
trap 'exit 143' TERM
for demo in "${demos[@]}"; do
	"$demo"
done
printf '\nThat was everything, in %s seconds. docs/tutorials.md tells what to try next.\n' "$SECONDS"
