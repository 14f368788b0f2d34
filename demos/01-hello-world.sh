#!/usr/bin/env bash
# One program sends a message to a queue, another receives it.
#
#   send ──▶ (default exchange) ──routing key hello──▶ [queue hello] ──▶ receive
# shellcheck source=demos/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

title "Tutorial 1: Hello World"

say "The receiver waits in terminal A. What is sent to the queue arrives there."
start A "receive"
run "send"
expect " [x] Sent Hello World!"
run "send 'Grüße aus Köln'"
await A " [x] Received Grüße aus Köln"
stop A

say "A queue keeps messages while nobody receives."
run "send -n 3 --template 'message {{.Count}}'"
expect " [x] Sent message 3"
say "Look at one and put it back, then fetch them all."
run "receive --requeue -n 1"
expect " [x] Received message 1"
run "receive --until-empty"
expect " [x] Received message 1"
expect " [x] Received message 3"
