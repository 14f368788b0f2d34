# shellcheck shell=bash
# Gives a demo its place: a broker, or a vhost on the one at AMQP_URL, where none of its queues and exchanges exist. It
# starts the demo anew there, as the child of scripts/broker, which also ends a demo that hangs and clears up.

names=hello,task_queue,logs,direct_logs,topic_logs,headers_logs,rpc_queue,confirms,tiny,careful_tasks,dead_letters,dead_tasks

if [[ -z ${DEMO_PLACE-} ]]; then
	export DEMO_PLACE=ready
	limit=10m
	[[ -z ${STEP-} ]] || limit=10h
	exec "$(dirname "${BASH_SOURCE[0]}")/../scripts/broker" run --limit "$limit" --fresh "$names" "$0" "$@"
fi
