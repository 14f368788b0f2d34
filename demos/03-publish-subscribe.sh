#!/usr/bin/env bash
# A fanout exchange gives every listener a copy.
#
#                               ┌──▶ [queue amq.gen-A] ──▶ receive_logs
#   emit_log ──▶ (fanout logs) ─┤
#                               └──▶ [queue amq.gen-B] ──▶ receive_logs > FILE
# shellcheck source=demos/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

title "Tutorial 3: Publish/Subscribe"

say "A shows the log on the screen, B saves it to a file. Both get every message."
start A "receive_logs"
start B "receive_logs > logs_from_rabbit.log"
run "emit_log"
run "emit_log 'warning: disk nearly full'"
await A " [x] warning: disk nearly full"
await logs_from_rabbit.log " [x] warning: disk nearly full"
run "cat logs_from_rabbit.log"
expect " [x] info: Hello World!"

say "A listener's queue ends with it: a new one gets what comes from now on."
stop A B
run "emit_log 'nobody listens'"
start C "receive_logs"
run "emit_log 'C listens'"
await C " [x] C listens"
(($(count C "nobody") == 0)) || fail "C got an old message"
stop C
