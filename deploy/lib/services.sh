# shellcheck shell=bash
# The parts of the quick start: server, runner, the stand-in cluster, and the sample's repository.
#
# Set before use: ROOT, VAR (state of the quick start), URL (the server's), PORT, REGISTRY_PORT.

SLIPWAY="$ROOT/build/release/slipway"
SAMPLE=sample/app

calls() {
  python3 "$ROOT/deploy/lib/server_calls.py" "$@"
}

# --- cluster ---------------------------------------------------------------------------------------------------------

start_cluster() {
  is_running kubernetes && return 0
  rm -f "$VAR/kubernetes/kubeconfig"
  start_process kubernetes python3 -B "$ROOT/tests/kubernetes_api/server.py" --data "$VAR/kubernetes"
  require_started kubernetes 20 cluster_kubectl version
}

cluster_kubectl() {
  [[ -f $VAR/kubernetes/kubeconfig ]] && KUBECONFIG="$VAR/kubernetes/kubeconfig" kubectl "$@"
}

# The deployment that the pipeline then sets the image of.
prepare_cluster() {
  cluster_kubectl get deployment app >/dev/null 2>&1 && return 0
  cluster_kubectl apply -f "$ROOT/deploy/sample/kubernetes" >/dev/null ||
    die "the sample's manifests could not be applied to the stand-in cluster; see $LOG_DIR/kubernetes.log"
}

# --- server ----------------------------------------------------------------------------------------------------------

start_server() {
  if is_outdated server; then
    say "the server was built anew, restarting it"
    stop_process server 30
  fi
  if is_running server; then
    [[ $(cat "$RUN_DIR/server.url") == "$URL" ]] ||
      die "the server runs at $(cat "$RUN_DIR/server.url"); stop it first: make down"
  else
    SLIPWAY_DATA_DIR="$VAR/data" SLIPWAY_LISTEN="127.0.0.1:$PORT" SLIPWAY_EXTERNAL_URL="$URL" \
      SLIPWAY_REGISTRY="127.0.0.1:$REGISTRY_PORT" SLIPWAY_ALLOW_LOCAL_REPOSITORIES=true \
      start_process server "$SLIPWAY" server
    printf '%s\n' "$URL" >"$RUN_DIR/server.url"
  fi
  require_started server 30 answers "$URL/readyz"
}

# The first administrator: the password and the token stay in files that only their owner reads.
set_up_administrator() {
  export SLIPWAY_URL="$URL" SLIPWAY_TOKEN_FILE="$VAR/admin-token"
  [[ -s $SLIPWAY_TOKEN_FILE ]] && calls token-works 2>/dev/null && return 0
  [[ -s $VAR/admin-password ]] ||
    (umask 077 && head -c 18 /dev/urandom | base64 | tr '+/' '-_' >"$VAR/admin-password")
  local token
  token="$(calls setup "$VAR/data/setup-token" "$VAR/admin-password")" || exit 1
  (umask 077 && printf '%s\n' "$token" >"$SLIPWAY_TOKEN_FILE")
}

# --- runner ----------------------------------------------------------------------------------------------------------

# A runner whose file names another port than this start has is registered again.
register_runner() {
  local config="$VAR/runner/slipway-runner.yml" token
  if [[ -s $config ]]; then
    grep --quiet --fixed-strings "runner_url: '$URL'" "$config" && return 0
    stop_process runner 60
    rm -- "$config"
  fi
  mkdir -p "$VAR/runner"
  token="$(calls new-runner 'quick start')" || exit 1
  (umask 077 && printf '%s\n' "$token" >"$VAR/runner/token")
  SLIPWAY_RUNNER_TOKEN_FILE="$VAR/runner/token" "$SLIPWAY" runner register --url "$URL" --executor shell \
    --config "$config" >/dev/null || die "the runner could not be registered"
}

# The jobs deploy to the stand-in cluster, and build with the legacy builder: a docker command without buildx knows no
# other. A list in a variable has one item a line.
start_runner() {
  if is_outdated runner; then
    say "the runner was built anew, restarting it"
    stop_process runner 60
  fi
  is_running runner && return 0
  SLIPWAY_RUNNER_CONCURRENT=2 SLIPWAY_RUNNER_BUILDS_DIR="$VAR/runner/builds" \
    SLIPWAY_RUNNER_ENVIRONMENT="KUBECONFIG=$VAR/kubernetes/kubeconfig"$'\n'"DOCKER_BUILDKIT=0" \
    start_process runner "$SLIPWAY" runner run --config "$VAR/runner/slipway-runner.yml"
}

# --- the sample's repository -----------------------------------------------------------------------------------------

git_in() {
  local directory="$1"
  shift
  GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_NOSYSTEM=1 git -C "$directory" \
    -c user.name='Sam Sample' -c user.email=sam@example.com "$@"
}

make_repository() {
  BARE="$VAR/git/$SAMPLE.git"
  WORK="$VAR/work/$SAMPLE"
  if [[ ! -d $BARE ]]; then
    mkdir -p "$BARE"
    git_in "$BARE" init --quiet --bare --initial-branch=main
  fi
  if [[ ! -d $WORK ]]; then
    mkdir -p "$WORK"
    git_in "$WORK" init --quiet --initial-branch=main
    git_in "$WORK" remote add origin "$BARE"
  fi
}

# The secret is shown once, when the project is made: it stays in the file that the hook reads.
add_project() {
  local secret_file="$VAR/webhook-secret" added
  if [[ ! -s $secret_file ]]; then
    added="$("$SLIPWAY" project add "$SAMPLE" --url "$BARE" --json)" ||
      die "the project $SAMPLE could not be added; if it exists already, begin anew: make down && rm -r var"
    (umask 077 && python3 -c 'import json, sys; print(json.load(sys.stdin)["webhook_secret"])' \
      <<<"$added" >"$secret_file")
  fi
  install -m 755 "$ROOT/deploy/hooks/post-receive" "$BARE/hooks/post-receive"
  git_in "$BARE" config slipway.url "$URL/hooks/$SAMPLE"
  git_in "$BARE" config slipway.secretFile "$secret_file"
  git_in "$BARE" config slipway.project "$SAMPLE"
}

# Commits the sample as it is now, pushes it, and prints the commit. Each run is a commit of its own.
push_sample() {
  find "$WORK" -mindepth 1 -maxdepth 1 ! -name .git -exec rm -rf {} +
  (cd "$ROOT/deploy/sample" && tar --create --exclude=./reports .) | tar --extract --directory "$WORK"
  git_in "$WORK" add --all
  local number
  number=$(($(git_in "$WORK" rev-list --count --all) + 1))
  git_in "$WORK" commit --quiet --allow-empty --message "Quote parcels, run $number"
  git_in "$WORK" push --quiet origin HEAD:refs/heads/main >&2 || die "the sample could not be pushed to $BARE"
  git_in "$WORK" rev-parse HEAD
}
