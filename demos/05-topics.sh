#!/usr/bin/env bash
# A topic exchange compares routing keys with patterns; a headers exchange
# compares headers.
#
#                                    ┌─kern.*─────▶ [amq.gen-A] ──▶ receive_logs
#   emit_log_topic ──▶ (topic_logs) ─┤
#                                    └─*.critical─▶ [amq.gen-B] ──▶ receive_logs
# shellcheck source=demos/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

title "Tutorial 5: Topics"

say "A wants whatever comes from the kernel, B whatever is critical. The kernel's
critical error goes to both."
start A "receive_logs --type topic 'kern.*'"
start B "receive_logs --type topic '*.critical'"
run "emit_log_topic kern.info 'a new device'"
run "emit_log_topic auth.critical 'too many logins'"
run "emit_log_topic kern.critical 'A critical kernel error'"
await A " [x] kern.critical:A critical kernel error"
await B " [x] kern.critical:A critical kernel error"
(($(count A "[x]") == 2 && $(count A "auth.critical") == 0)) || fail "A did not get the kernel's messages alone"
(($(count B "[x]") == 2 && $(count B "kern.info") == 0)) || fail "B did not get the critical messages alone"
stop A B

say "Headers instead of the routing key: C wants both of them, D one of the two."
start C "receive_logs --type headers level=error team=db"
start D "receive_logs --type headers --match any level=error team=db"
run "emit_log --type headers -H level=info -H team=db 'the replica is back'"
run "emit_log --type headers -H level=error -H team=db 'the replica is behind'"
await C "the replica is behind"
await D "the replica is behind"
(($(count C "[x]") == 1)) || fail "C got more than the error"
(($(count D "[x]") == 2)) || fail "D did not get both"
stop C D
