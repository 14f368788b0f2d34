# shellcheck shell=bash
# What the demos share: they show each command as it would be typed, run it, and check what comes of it.
#
#   title TEXT             a headline, and the drawing at the top of the demo
#   say TEXT               a sentence or two of explanation
#   run COMMAND            run COMMAND and show its output; it must succeed
#   fails STATUS COMMAND   the same, but it must end with this exit status
#   expect TEXT            the output of the last run or fails must contain TEXT
#
#   start X COMMAND        run COMMAND in the background, as if in terminal X, until its banner says that the broker
#                          has confirmed the consumer; what it prints is shown as it comes, after "X | "
#   await X TEXT [N]       wait until N lines (1) with TEXT have come in terminal X, or in the file X
#   first TEXT X...        wait until a line with TEXT has come in one of these terminals, and set $found to it
#   count X TEXT           print how many lines with TEXT have come
#   stop X...              stop what runs there with Ctrl-C; it must end in order
#   crash X                kill it, so that it can't do anything about it
#
# On a terminal there are pauses to read: none with PACE=0, longer ones with PACE=2, and with STEP=1 each command waits
# for Enter. Nothing else waits for longer than $patience seconds.
#
# A demo has a place where none of its queues and exchanges existed before: scripts/broker sees to that.

set -euo pipefail

patience=20
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
bin=$root/bin
if [[ ! -x $bin/send ]]; then
	echo "${0##*/}: the programs are not built: there is no $bin/send" >&2
	echo "hint: make build" >&2
	exit 1
fi

# shellcheck source=demos/place.sh
source "$root/demos/place.sh"
PATH=$bin:$PATH

bold='' plain='' dim=''
if [[ -t 1 && -z ${NO_COLOR-} && ${TERM-} != dumb ]]; then
	bold=$'\e[1m' plain=$'\e[0m' dim=$'\e[2m'
fi
if [[ -t 1 ]]; then
	pace=${PACE-1}
else
	pace=0 STEP=
fi

# For each terminal X a file X, with all that was printed there, X.pid while something runs in it, and X.reader, the
# process that shows what it prints.
screens=
trap clean_up EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM
screens=$(mktemp -d)
mkdir "$screens/files"
cd "$screens/files" # where the demo's own files go
mkfifo "$screens/pipe"

# clean_up ends what still runs and removes what was written.
clean_up() {
	local x pid
	trap '' HUP INT TERM
	[[ -n $screens ]] || return 0
	for x in $(running); do
		pid=$(pid "$x")
		# In braces, for bash would report on the screen who was killed.
		{ kill -TERM "$pid" && wait "$pid"; } 2>/dev/null || true
	done
	cd /
	rm -rf "$screens"
}

fail() {
	echo "${0##*/}: $*" >&2
	exit 1
}

# --- On the screen --------------------------------------------------------------------------------------------------

# pause waits for so many hundredths of a second, at the usual pace.
pause() {
	local hundredths
	[[ $pace != 0 && -z ${STEP-} ]] || return 0
	hundredths=$(awk -v n="$1" -v pace="$pace" 'BEGIN { printf "%.2f", n * pace / 100 }')
	sleep "$hundredths"
}

title() {
	printf '\n%s=== %s ===%s\n\n' "$bold" "$1" "$plain"
	# The comment at the top of the demo, but for the line that names the shell.
	sed -n -e '1d' -e '/^# shellcheck/q' -e 's/^# \{0,1\}//p' "$root/demos/${0##*/}"
	pause 100
}

say() {
	printf '\n%s\n\n' "$1"
	pause $((${#1} * 2))
}

# prompt shows a command as it is typed, in terminal $2.
prompt() {
	if [[ -n ${STEP-} ]]; then
		printf '%s%s$ %s%s %s' "$bold" "${2:+$2 }" "$1" "$plain" "${dim}[Enter]$plain"
		read -r _ </dev/tty
	else
		printf '%s%s$ %s%s\n' "$bold" "${2:+$2 }" "$1" "$plain"
		pause 25
	fi
}

# terminal is where what is printed in terminal X is shown: in a pane of tmux, if demos/tmux.sh has made one.
terminal() {
	local variable=DEMO_PANE_$1
	echo "${!variable-}"
}

color() {
	[[ -n $plain ]] || return 0
	case $1 in
	A | S) printf '\e[36m' ;;
	B) printf '\e[33m' ;;
	C) printf '\e[35m' ;;
	*) printf '\e[32m' ;;
	esac
}

# display shows the lines of terminal X and puts them into its file.
display() {
	local line pane begin
	pane=$(terminal "$1")
	begin="$(color "$1")$1 |"
	while IFS= read -r line || [[ -n $line ]]; do
		if [[ -n $pane ]]; then
			printf '%s\n' "$line" >"$pane"
		else
			printf '%s %s%s\n' "$begin" "$line" "$plain"
		fi
		printf '%s\n' "$line" >>"$screens/$1"
	done
}

# --- In the foreground ----------------------------------------------------------------------------------------------

run() {
	prompt "$1"
	execute 0 "$1"
	pause 35
}

fails() {
	prompt "$2"
	execute "$1" "$2"
	printf '%s$ echo $?%s\n%s\n' "$bold" "$plain" "$1"
	pause 35
}

# execute runs a command, and fails if its exit status is another than the first argument.
execute() {
	local status=0 pid line read
	: >"$screens/last"
	(eval "$2") >"$screens/pipe" 2>&1 &
	pid=$!
	while true; do
		read=0
		IFS= read -r -t "$patience" line || read=$?
		if ((read > 128)); then
			{ kill -KILL "$pid" && wait "$pid"; } 2>/dev/null || true
			fail "nothing came for $patience seconds from: $2"
		elif ((read > 0)) && [[ -z $line ]]; then
			break
		fi
		printf '%s\n' "$line"
		printf '%s\n' "$line" >>"$screens/last"
		((read == 0)) || break
	done <"$screens/pipe"
	wait "$pid" || status=$?
	[[ $status -eq $1 ]] || fail "exit status $status instead of $1: $2"
}

expect() { grep -qF -- "$1" "$screens/last" || fail "not in the output: $1"; }

# --- In the background ----------------------------------------------------------------------------------------------

pid() { cat "$screens/$1.pid"; }

# running prints the terminals in which something runs, or should.
running() { find "$screens" -name '*.pid' -exec basename {} .pid \;; }

start() {
	local pane
	prompt "$2" "$1"
	pane=$(terminal "$1")
	[[ -z $pane ]] || printf '$ %s\n' "$2" >"$pane"
	: >"$screens/$1"
	mkfifo "$screens/$1.pipe"
	display "$1" <"$screens/$1.pipe" &
	echo $! >"$screens/$1.reader"
	(eval "exec $2") >"$screens/$1.pipe" 2>&1 &
	echo $! >"$screens/$1.pid"
	await "$1" 'aiting' # "Waiting for messages", "Awaiting RPC requests"
}

await() {
	local deadline=$((SECONDS + patience)) lines
	while true; do
		lines=$(count "$1" "$2")
		if ((lines >= ${3:-1})); then return; fi
		alive
		((SECONDS < deadline)) || fail "in $patience seconds $1 did not print ${3:-1} times: $2"
		sleep 0.05
	done
}

first() {
	local deadline=$((SECONDS + patience)) x lines
	while true; do
		for x in "${@:2}"; do
			lines=$(count "$x" "$1")
			if ((lines > 0)); then
				# shellcheck disable=SC2034 # for the demos
				found=$x
				return
			fi
		done
		alive
		((SECONDS < deadline)) || fail "in $patience seconds none of ${*:2} printed: $1"
		sleep 0.05
	done
}

# count looks at terminal X, or at the file X, which need not be there yet.
count() {
	local file=$screens/$1
	[[ -e $file ]] || file=$1
	if [[ -e $file ]]; then
		grep -cF -- "$2" "$file" || true
	else
		echo 0
	fi
}

# alive fails if something in the background has ended by itself.
alive() {
	local x
	for x in $(running); do
		kill -0 "$(pid "$x")" 2>/dev/null || fail "what ran in $x has ended"
	done
}

# ended waits until all that terminal X had to show has been shown, and makes room for another command there.
ended() {
	wait "$(cat "$screens/$1.reader")" || true
	rm "$screens/$1.pid" "$screens/$1.pipe" "$screens/$1.reader"
}

# remark shows a line in terminal X that no program has printed.
remark() {
	local pane
	pane=$(terminal "$1")
	if [[ -n $pane ]]; then
		printf '%s\n' "$2" >"$pane"
	else
		printf '%s%s | %s%s\n' "$(color "$1")" "$1" "$2" "$plain"
	fi
}

stop() {
	local x pid status i
	for x in "$@"; do
		pause 20
		remark "$x" '^C'
		pid=$(pid "$x")
		kill -INT "$pid" 2>/dev/null || fail "what ran in $x has ended"
		for ((i = 0; i < patience * 20; i++)); do
			kill -0 "$pid" 2>/dev/null || break
			sleep 0.05
		done
		((i < patience * 20)) || fail "what runs in $x did not end in $patience seconds after Ctrl-C"
		status=0
		wait "$pid" || status=$?
		ended "$x"
		[[ $status -eq 0 ]] || fail "$x ended with exit status $status"
	done
}

crash() {
	local pid
	pid=$(pid "$1")
	prompt "kill -KILL $pid   # $1"
	{ kill -KILL "$pid" && wait "$pid"; } 2>/dev/null || true
	ended "$1"
	remark "$1" Killed
}
