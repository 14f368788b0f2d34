#!/usr/bin/env bash
# Tasks are shared out among workers, and none is lost when a worker dies.
#
#                                                      ┌──▶ worker A
#   new_task ──▶ (default exchange) ──▶ [task_queue] ──┤
#                                                      └──▶ worker B
# shellcheck source=demos/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

title "Tutorial 2: Work queues"

say "Each dot is a tenth of a second of work. One worker gets the long task, the
other does the short ones meanwhile: a worker gets no new task before it has
acknowledged the last (prefetch 1)."
start A "worker --unit 100ms"
start B "worker --unit 100ms"
run "new_task 'a long task..............................'"
run "new_task -n 4 --template 'short task {{.Count}}.'"
expect " [x] Sent short task 4."
first "a long task" A B
if [[ $found == A ]]; then
	busy=A other=B
else
	busy=B other=A
fi
await $busy " [x] Done"
await $other " [x] Done" 4
(($(count $busy "Received") == 1)) || fail "$busy got more than the long task"

say "Now a worker is killed in the middle of its task. It was never acknowledged, so
the broker gives it to the other worker."
run "new_task 'a precious task..........'"
first "precious" A B
if [[ $found == A ]]; then
	victim=A heir=B
else
	victim=B heir=A
fi
crash $victim
await $heir "precious"
await $heir " [x] Done" "$(count $heir "Received")"
stop $heir
