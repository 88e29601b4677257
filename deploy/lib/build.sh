# shellcheck shell=bash
# From a fresh clone to an executable: packages, npm's modules, CMake. Each step is quick when there is nothing to do.

# Usage: npm_modules FOLDER ; `npm ci`, unless what is there was installed from the same lock file.
npm_modules() {
  local stamp="$1/node_modules/.installed-from" digest log
  [[ -f $1/package-lock.json ]] || die "$1/package-lock.json is missing, so its modules cannot be installed"
  digest="$(sha256sum <"$1/package-lock.json")"
  [[ $(cat "$stamp" 2>/dev/null) == "$digest" ]] && return 0
  say "installing the modules of ${1#"$ROOT"/}"
  log="$(mktemp)"
  npm --prefix "$1" ci --no-audit --no-fund >"$log" 2>&1 || npm --prefix "$1" ci --no-audit --no-fund >"$log" 2>&1 || {
    tail -n 20 "$log" >&2
    die "npm ci failed in $1; its log is $log"
  }
  rm -f "$log"
  printf '%s\n' "$digest" >"$stamp"
}

# Usage: build PRESET ; leaves build/PRESET/slipway.
build() {
  "$ROOT/deploy/packages/install" || exit 1
  npm_modules "$ROOT/web"
  cd "$ROOT" || die "cannot enter $ROOT"
  if [[ ! -f build/$1/build.ninja ]]; then
    cmake --preset "$1" >&2 || die "CMake could not configure the preset $1"
  fi
  cmake --build --preset "$1" --parallel "$(nproc)" >&2 || die "the build of the preset $1 failed"
}
