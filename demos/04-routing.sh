#!/usr/bin/env bash
# A direct exchange gives a message to the queues whose binding key is its
# routing key.
#
#                                      ┌─error───▶ [amq.gen-A] ──▶ receive_logs A
#   emit_log_direct ──▶ (direct_logs) ─┤
#                                      ├─info────▶ [         ]
#                                      ├─warning─▶ [amq.gen-B] ──▶ receive_logs B
#                                      └─error───▶ [         ]
# shellcheck source=demos/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

title "Tutorial 4: Routing"

say "A listens for errors only, B for all. The severity is the routing key."
start A "receive_logs --type direct error"
start B "receive_logs --type direct info warning error"
run "emit_log_direct info 'all is well'"
run "emit_log_direct warning 'it is getting warm'"
run "emit_log_direct error 'Run. Run. Or it will explode.'"
expect " [x] Sent error:Run. Run. Or it will explode."
await A " [x] error:Run."
await B " [x] error:Run."
(($(count A "[x]") == 1)) || fail "A got more than the error"
(($(count B "[x]") == 3)) || fail "B did not get all three"
stop A B
