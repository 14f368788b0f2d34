#!/usr/bin/env bash
# A task that can't be done is rejected, and the broker moves it to where
# somebody can look at it.
#
#   [careful_tasks] ──rejected──▶ (exchange dead_letters) ──▶ [dead_tasks]
# shellcheck source=demos/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

tasks="-q careful_tasks --arg x-dead-letter-exchange=dead_letters"
title "Dead letters"

say "First the place for the dead, then tasks in a queue that names it."
run "receive_logs --exchange dead_letters --queue dead_tasks --declare-only"
run "new_task $tasks 'a good task'"
run "new_task $tasks 'a bad task'"

say "This worker rejects tasks that contain \"bad\", and does not put them back:
they would come again for ever."
run "worker $tasks --fail bad --until-empty"
expect " [x] Done"

say "The header x-death tells from which queue a message came, why, and how often."
run "receive -q dead_tasks --until-empty --format json"
expect '"body":"a bad task"'
expect '"reason":"rejected"'
expect '"queue":"careful_tasks"'
