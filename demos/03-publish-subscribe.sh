#!/usr/bin/env bash
# Tutorial 3: a fanout exchange gives every listener a copy.
#
#                                         ┌──▶ [queue amq.gen-A] ──▶ receive_logs
#   emit_log ──▶ (fanout exchange logs) ──┤
#                                         └──▶ [queue amq.gen-B] ──▶ receive_logs > logs_from_rabbit.log
# shellcheck source=demos/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

title "Tutorial 3: Publish/Subscribe"

say "Two listeners: A shows the log on the screen, B saves it to a file. Both get every message."
start A "receive_logs"
start B "receive_logs > logs_from_rabbit.log"
run "emit_log"
run "emit_log 'warning: disk nearly full'"
await A " [x] warning: disk nearly full"
await logs_from_rabbit.log " [x] warning: disk nearly full"
show A
run "cat logs_from_rabbit.log"
expect " [x] info: Hello World!"

say "Only the log is in the file: the banner went to stderr. When a listener stops its queue is deleted, so a new
listener gets what is published from now on, and nothing older."
stop A B
run "emit_log 'nobody listens'"
start C "receive_logs"
run "emit_log 'C listens'"
await C " [x] C listens"
show C
(($(count C "nobody") == 0)) || fail "C got an old message"
stop C
