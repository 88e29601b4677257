# shellcheck shell=bash
# A Docker engine and a registry: used when they answer, started when they do not.

docker_answers() {
  docker version --format '{{.Server.Version}}' >/dev/null 2>&1
}

# Fails when there is no engine to use and none that we may start.
require_docker_right() {
  local answer
  answer="$(docker version 2>&1)" && return 0
  if [[ ${answer,,} == *'permission denied'* ]]; then
    die "the Docker engine runs, but user $(id -un) may not use it; add the user to the group docker, or be root"
  fi
  ((EUID == 0)) || die "no Docker engine answers, and only root can start one; start it, or be root"
}

# An engine that was killed leaves its pid file behind, and a new one refuses to start when that number is another
# process's by now. One that is just ending is given time for it.
no_engine_process() {
  local pid
  pid="$(cat /var/run/docker.pid 2>/dev/null)" || return 0
  [[ $(cat "/proc/$pid/comm" 2>/dev/null) != dockerd ]]
}

# Each step leaves out more of what a kernel may lack: overlay file systems, then bridges and netfilter.
start_docker() {
  docker_answers && return 0
  wait_until 20 no_engine_process && rm -f /var/run/docker.pid
  local -a fallback
  local options
  for options in "" "--storage-driver=vfs" "--storage-driver=vfs --bridge=none --iptables=false"; do
    read -r -a fallback <<<"$options"
    [[ -z $options ]] || say "dockerd did not start, trying again with $options"
    start_process dockerd dockerd --host=unix:///var/run/docker.sock "${fallback[@]}"
    wait_until 60 docker_is_up_or_dead || true
    docker_answers && return 0
    stop_process dockerd
  done
  tail -n 5 "$LOG_DIR/dockerd.log" >&2
  die "the Docker engine does not start; its log is $LOG_DIR/dockerd.log"
}

docker_is_up_or_dead() {
  docker_answers || is_gone dockerd
}

# --- registry --------------------------------------------------------------------------------------------------------

registry_answers() {
  answers "http://127.0.0.1:$REGISTRY_PORT/v2/"
}

# Usage: start_registry DIRECTORY
start_registry() {
  registry_answers && return 0
  require_free_port "$REGISTRY_PORT" REGISTRY_PORT
  mkdir -p "$1"
  cat >"$1/config.yml" <<END
version: 0.1
log: {level: warn}
storage:
  filesystem: {rootdirectory: $1/data}
  delete: {enabled: true}
http: {addr: "127.0.0.1:$REGISTRY_PORT"}
END
  start_process registry docker-registry serve "$1/config.yml"
  require_started registry 20 registry_answers
}
