# shellcheck shell=bash
# What the scripts here share: messages, waiting, ports, and background processes that are ended by their own pid.
#
# Set before use: RUN_DIR (pid files), LOG_DIR (logs of background processes). Sourced by bash with `set -euo pipefail`.

die() {
  printf '%s: %s\n' "${PROGRAM:-slipway}" "$1" >&2
  exit 1
}

say() {
  printf '%s\n' "$1" >&2
}

# Usage: wait_until SECONDS COMMAND... ; fails when the command did not succeed in time.
wait_until() {
  local deadline=$((SECONDS + $1))
  shift
  until "$@" >/dev/null 2>&1; do
    ((SECONDS < deadline)) || return 1
    sleep 0.1
  done
}

answers() {
  curl --silent --fail --noproxy '*' --max-time 5 --output /dev/null "$1"
}

# --- ports -----------------------------------------------------------------------------------------------------------

# Prints "name (pid N)" of who listens on port $1; nothing when it is free.
port_holder() {
  local line
  line="$(ss --listening --tcp --numeric --processes --no-header "sport = :$1" 2>/dev/null | head -n 1)"
  [[ -n $line ]] || return 0
  if [[ $line =~ \(\(\"([^\"]*)\",pid=([0-9]+) ]]; then
    printf '%s (pid %s)' "${BASH_REMATCH[1]}" "${BASH_REMATCH[2]}"
  else
    printf 'a process of another user'
  fi
}

require_free_port() {
  local port="$1" setting="$2" holder
  holder="$(port_holder "$port")"
  [[ -z $holder ]] || die "port $port is held by $holder; stop it, or choose another port: make up $setting=$((port + 1))"
}

require_disk_space() {
  local directory="$1" needed_mb="$2" free_mb
  free_mb="$(df --output=avail --block-size=1M "$directory" | tail -n 1 | tr -d ' ')"
  ((free_mb >= needed_mb)) ||
    die "$directory has $free_mb MB of disk space left, and $needed_mb MB are needed; make room and try again"
}

# --- background processes --------------------------------------------------------------------------------------------
# A pid file holds the pid and the kernel's start time of the process, since pids are used again.

start_time_of() {
  local stat
  stat="$(cat "/proc/$1/stat" 2>/dev/null)" || return 1
  read -r -a stat <<<"${stat##*) }"
  printf '%s' "${stat[19]}"
}

# Prints the pid of our process $1 while it lives.
pid_of() {
  local pid started
  [[ -f $RUN_DIR/$1.pid ]] || return 1
  read -r pid started <"$RUN_DIR/$1.pid" || return 1
  [[ -n $started ]] || return 1  # it ended before its start time could be read
  [[ $(start_time_of "$pid") == "$started" ]] || return 1
  [[ $(sed 's/.*) //; s/ .*//' "/proc/$pid/stat" 2>/dev/null) != Z ]] || return 1
  printf '%s' "$pid"
}

is_running() {
  pid_of "$1" >/dev/null
}

# True when our process $1 runs from a file that has since been replaced, as a new build does.
is_outdated() {
  local pid
  pid="$(pid_of "$1")" && [[ $(readlink "/proc/$pid/exe") == *' (deleted)' ]]
}

# Usage: start_process NAME COMMAND... ; in a session of its own, so that ^C in the terminal does not reach it.
start_process() {
  local name="$1" pid
  shift
  mkdir -p "$RUN_DIR" "$LOG_DIR"
  setsid "$@" >>"$LOG_DIR/$name.log" 2>&1 </dev/null &
  pid=$!
  printf '%s %s\n' "$pid" "$(start_time_of "$pid")" >"$RUN_DIR/$name.pid"
}

# Usage: stop_process NAME [SECONDS]; TERM, and KILL when it is still there after SECONDS. Nothing to do when it is gone.
stop_process() {
  local name="$1" patience="${2:-20}" pid
  if pid="$(pid_of "$name")"; then
    kill -TERM "$pid" 2>/dev/null || true
    if ! wait_until "$patience" is_gone "$name"; then
      say "$name does not end, killing it"
      kill -KILL "$pid" 2>/dev/null || true
    fi
    wait "$pid" 2>/dev/null || true
  fi
  rm -f "$RUN_DIR/$name.pid"
}

is_gone() {
  ! is_running "$1"
}

# Usage: require_started NAME SECONDS COMMAND... ; waits for COMMAND to succeed, dies with the log's end when it does not.
require_started() {
  local name="$1" deadline=$((SECONDS + $2))
  shift 2
  until "$@" >/dev/null 2>&1; do
    if is_gone "$name" || ((SECONDS >= deadline)); then
      tail -n 8 "$LOG_DIR/$name.log" >&2 || true
      die "$name did not start; its log is $LOG_DIR/$name.log"
    fi
    sleep 0.1
  done
}
