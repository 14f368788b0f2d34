#!/usr/bin/env bash
# The broker confirms each message that it has taken charge of. How a publisher
# waits for that decides how fast it is.
#
#   send ──basic.publish 1, 2, 3──▶ broker
#   send ◀──────basic.ack 1, 2, 3── broker
# shellcheck source=demos/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

title "Tutorial 7: Publisher confirms"

say "The same 4000 messages three times: wait for each one's confirm; wait after
each hundred; don't stop to wait."
summaries=()
for strategy in individual batch async; do
	run "send -q confirms -n 4000 --quiet --confirm $strategy"
	expect "Published 4000 messages and handled confirms"
	summaries+=("$(tail -n 1 "$screens/last")")
done
say "Side by side:"
for summary in "${summaries[@]}"; do
	read -r _ _ _ _ _ _ how <<<"$summary"
	printf '  %-15s  %s\n' "${how%% in [0-9]*}" "${how##* in }"
done

say "Each message that was confirmed is in the queue."
run "receive -q confirms -n 12000 --quiet"

say "A message that no queue wants is confirmed, too. With --mandatory the broker
returns it (basic.return)."
fails 4 "send --mandatory --no-declare -q no_such_queue 'Anybody there?'"
expect "there is no queue no_such_queue"

say "The opposite of a confirm is a nack: this queue has room for one message."
full=(--arg x-max-length=1 --arg x-overflow=reject-publish)
run "send -q tiny ${full[*]} 'a bite'"
fails 1 "send -q tiny ${full[*]} 'more'"
expect "refused by the broker (nack)"
run "receive -q tiny --no-declare --until-empty"
expect " [x] Received a bite"
