#!/usr/bin/env bash
# Tutorial 7: the broker confirms each message that it has taken charge of. How a publisher waits for that decides
# how fast it is.
# shellcheck source=demos/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

full=(--arg x-max-length=1 --arg x-overflow=reject-publish)
drain confirms
drain tiny "${full[@]}"
title "Tutorial 7: Publisher confirms"

say "The same 4000 messages three times: wait for each one's confirm; wait after each hundred; don't stop to wait."
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

say "Each message that was confirmed is in the queue. (No output is needed to take 12000 messages out of it again.)"
run "receive -q confirms -n 12000 --quiet"

say "A confirm says that the broker is done with a message, even if no queue wanted it. --mandatory has the broker
return such a message (basic.return): exit status 4."
fails 4 "send --mandatory --no-declare -q no_such_queue 'Is anybody there?'"
expect "there is no queue no_such_queue"

say "The opposite of a confirm is a nack. This queue has room for one message and refuses more."
run "send -q tiny ${full[*]} 'a mouthful'"
fails 1 "send -q tiny ${full[*]} 'another one'"
expect "refused by the broker (nack)"
run "receive -q tiny ${full[*]} --until-empty"
expect " [x] Received a mouthful"
