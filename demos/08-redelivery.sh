#!/usr/bin/env bash
# What is not acknowledged is delivered again: a consumer may crash, the message
# stays with the broker.
# shellcheck source=demos/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

title "Redelivery"

say "This worker takes a task and dies before it can acknowledge it."
run "new_task 'a task'"
fails 1 "worker --crash-after 200ms"

say "The task is in the queue again, marked as redelivered: somebody may have begun."
run "worker -n 1 --format json"
expect '"body":"a task"'
expect '"redelivered":true'

say "Now it is done and acknowledged, and the queue is empty."
run "worker --until-empty"
