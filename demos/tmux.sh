#!/usr/bin/env bash
# Shows demo N in tmux: the demo above, the terminals A, B, ... of it side by side below, and at the bottom the broker's
# queues as they are at each moment. For a projector: demos/tmux.sh 2. With STEP=1 each command waits for Enter.
set -euo pipefail

folder=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
if (($# != 1)); then
	echo "tmux.sh: which demo? For example: demos/tmux.sh 2" >&2
	exit 2
fi
demo=$(compgen -G "$folder/$(printf '%02d' "$1" 2>/dev/null)-*.sh") || {
	echo "tmux.sh: there is no demo $1" >&2
	exit 2
}
command -v tmux >/dev/null || {
	echo "tmux.sh: this needs tmux; make demo N=$1 shows the same without" >&2
	exit 1
}

[[ -t 0 && -t 1 ]] || {
	echo "tmux.sh: this needs a terminal" >&2
	exit 1
}

# shellcheck source=demos/place.sh
source "$folder/place.sh"

# A server of its own, so that nothing of the user's tmux is touched, also if this runs in one.
tmux=(env -u TMUX tmux -L "demo-$$" -f /dev/null)
trap '"${tmux[@]}" kill-server 2>/dev/null || true' EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

quiet="stty -echo; exec tail -f /dev/null" # a pane in which only the demo writes

# The demo waits until all panes are there.
main=$("${tmux[@]}" new-session -d -P -F '#{pane_id}' -x "$(tput cols)" -y "$(tput lines)" -s demo "exec ${tmux[*]} wait-for ready")
"${tmux[@]}" set-option -g status off
"${tmux[@]}" set-option -g remain-on-exit on
"${tmux[@]}" set-option -g pane-border-status top
"${tmux[@]}" set-option -g pane-border-format ' #{pane_title} '
"${tmux[@]}" set-option -g allow-rename off
queues=$("${tmux[@]}" split-window -d -v -l 20% -t "$main" -P -F '#{pane_id}' "exec '$folder/../scripts/broker' queues --watch")
"${tmux[@]}" select-pane -t "$queues" -T 'queues of the broker'
"${tmux[@]}" select-pane -t "$main" -T "$(basename "$demo" .sh)"
panes=()
last=
while read -r x; do
	if [[ -z $last ]]; then
		last=$("${tmux[@]}" split-window -d -v -l 45% -t "$main" -P -F '#{pane_id}' "$quiet")
	else
		last=$("${tmux[@]}" split-window -d -h -t "$last" -P -F '#{pane_id}' "$quiet")
	fi
	"${tmux[@]}" select-pane -t "$last" -T "$x"
	panes+=("DEMO_PANE_$x=$("${tmux[@]}" display-message -p -t "$last" '#{pane_tty}')")
done < <(sed -n 's/^start \([A-Z]\) .*/\1/p' "$demo" | sort -u)
"${tmux[@]}" select-pane -t "$main"
end="printf '\\nThat was it: Enter ends.'; read -r _; exec ${tmux[*]} kill-session"
"${tmux[@]}" respawn-pane -k -t "$main" "env ${panes[*]-} STEP=${STEP-} PACE=${PACE-1} '$demo'; $end"
"${tmux[@]}" attach-session -t demo
