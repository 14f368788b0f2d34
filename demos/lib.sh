# shellcheck shell=bash
# What the demos share: they show each command as it would be typed, run it, and check what comes of it.
#
#   title TEXT             a headline
#   say TEXT               a sentence or two of explanation
#   run COMMAND            run COMMAND and show its output; it must succeed
#   fails STATUS COMMAND   the same, but it must end with this exit status
#   expect TEXT            the output of the last run or fails must contain TEXT
#
#   start X COMMAND        run COMMAND in the background, as if in terminal X, until its banner says that the broker
#                          has confirmed the consumer
#   await X TEXT [N]       wait until N lines (1) with TEXT have come in terminal X, or in the file X
#   first TEXT X...        wait until a line with TEXT has come in one of these terminals, and print which
#   count X TEXT           print how many lines with TEXT have come
#   show X...              show what is new in these terminals
#   stop X...              stop what runs there with Ctrl-C; it must end in order
#   crash X                kill it, so that it can't do anything about it
#
#   drain QUEUE [FLAG...]  empty the queue, silently, whoever filled it
#
# A line of terminal X is shown with "X | " before it.

set -euo pipefail

bin=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)/bin
if [[ ! -x $bin/send ]]; then
	echo "${0##*/}: the programs are not built: there is no $bin/send" >&2
	echo "hint: make build" >&2
	exit 1
fi
PATH=$bin:$PATH

# For each terminal X a file X, with all that was printed there, X.shown, how many lines of it have been shown, and
# X.pid while something runs in it.
screens=$(mktemp -d)
mkdir "$screens/files"
cd "$screens/files" # where the demo's own files go
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

bold='' plain=''
if [[ -t 1 ]]; then
	bold=$'\e[1m' plain=$'\e[0m'
fi

# clean_up ends what still runs and removes what was written.
clean_up() {
	local x
	for x in $(running); do
		kill "$(pid "$x")" 2>/dev/null || true
		wait "$(pid "$x")" 2>/dev/null || true
	done
	cd /
	rm -rf "$screens"
}

fail() {
	echo "${0##*/}: $*" >&2
	exit 1
}

title() { printf '\n%s=== %s ===%s\n' "$bold" "$1" "$plain"; }
say() { printf '\n%s\n\n' "$1"; }
prompt() { printf '%s$ %s%s\n' "$bold" "$1" "$plain"; }

# --- In the foreground ----------------------------------------------------------------------------------------------

run() {
	prompt "$1"
	execute 0 "$1"
}

fails() {
	prompt "$2"
	execute "$1" "$2"
	prompt 'echo $?'
	echo "$1"
}

# execute runs a command, and fails if its exit status is another than the first argument.
execute() {
	local status=0
	(eval "$2") >"$screens/last" 2>&1 || status=$?
	cat "$screens/last"
	[[ $status -eq $1 ]] || fail "exit status $status instead of $1: $2"
}

expect() { grep -qF -- "$1" "$screens/last" || fail "not in the output: $1"; }

drain() {
	receive --queue "$@" --until-empty --quiet >"$screens/last" 2>&1 || {
		cat "$screens/last" >&2
		exit 1
	}
}

# --- In the background ----------------------------------------------------------------------------------------------

pid() { cat "$screens/$1.pid"; }

# running prints the terminals in which something runs, or should.
running() { find "$screens" -name '*.pid' -exec basename {} .pid \;; }

start() {
	prompt "$2 &"
	(eval "exec $2") >"$screens/$1" 2>&1 &
	echo $! >"$screens/$1.pid"
	echo 0 >"$screens/$1.shown"
	await "$1" 'aiting' # "Waiting for messages", "Awaiting RPC requests"
	show "$1"
}

await() {
	local i
	for ((i = 0; i < 400; i++)); do
		if (($(count "$1" "$2") >= ${3:-1})); then return; fi
		alive
		sleep 0.05
	done
	fail "waited 20 seconds for ${3:-1} lines with \"$2\" from $1"
}

first() {
	local i x
	for ((i = 0; i < 400; i++)); do
		for x in "${@:2}"; do
			if (($(count "$x" "$1") > 0)); then
				echo "$x"
				return
			fi
		done
		sleep 0.05
	done
	fail "waited 20 seconds for a line with \"$1\""
}

count() {
	local file=$screens/$1
	[[ -e $file ]] || file=$1
	grep -cF -- "$2" "$file" || true
}

# alive fails if something in the background has ended by itself.
alive() {
	local x
	for x in $(running); do
		kill -0 "$(pid "$x")" 2>/dev/null && continue
		show "$x"
		fail "what ran in $x has ended"
	done
}

show() {
	local x lines
	for x in "$@"; do
		lines=$(grep -c '' "$screens/$x" || true)
		head -n "$lines" "$screens/$x" | tail -n "+$(($(cat "$screens/$x.shown") + 1))" | sed "s/^/$x | /"
		echo "$lines" >"$screens/$x.shown"
	done
}

stop() {
	local x status
	for x in "$@"; do
		status=0
		kill -INT "$(pid "$x")"
		wait "$(pid "$x")" || status=$?
		rm "$screens/$x.pid"
		show "$x"
		echo "$x | ^C"
		[[ $status -eq 0 ]] || fail "$x ended with exit status $status"
	done
}

crash() {
	prompt "kill -KILL $(pid "$1")"
	kill -KILL "$(pid "$1")"
	wait "$(pid "$1")" 2>/dev/null || true
	rm "$screens/$1.pid"
	show "$1"
	echo "$1 | Killed"
}
