#!/usr/bin/env bash
# A request names the queue for its reply, and a correlation id tells which
# reply belongs to it.
#
#   rpc_client ──reply_to, correlation_id──▶ [rpc_queue] ──▶ rpc_server
#   rpc_client ◀── [callback queue] ◀────correlation_id───── rpc_server
# shellcheck source=demos/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

title "Tutorial 6: Remote procedure call"

say "The server in terminal S computes Fibonacci numbers for whoever asks."
start S "rpc_server"
run "rpc_client"
expect " [.] Got 832040"
run "rpc_client 1 10 100"
expect " [.] Got 354224848179261915075"
await S " [.] fib(100)"

say "What the server can't answer gets an error for a reply, and the server lives on."
fails 6 "rpc_client 1000000"
expect "fib(1000000)"
say "Where no server has ever been there is no queue."
fails 4 "rpc_client --queue no_such_queue 30"
expect "no queue no_such_queue"
run "rpc_client 20"
expect " [.] Got 6765"
stop S
