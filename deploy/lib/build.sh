# shellcheck shell=bash
# From a fresh clone to an executable: packages, npm's modules, CMake. Each step is quick when there is nothing to do.

# Newer npm refuses a lock file that lacks optional packages which the registry did not have when it was written, as
# those of other platforms. It names them without a version; true differences have one.
only_optional_missing() {
  grep --quiet 'code EUSAGE' "$1" && ! grep -E '(Missing|Invalid): ' "$1" | grep --quiet --invert-match '@ from lock file'
}

# Installs exactly what the lock file of folder $1 names; what npm says goes to file $2.
install_locked() {
  npm --prefix "$1" ci --no-audit --no-fund >"$2" 2>&1 && return 0
  only_optional_missing "$2" || return 1
  say "npm ci wants optional packages in the lock file that are not for this machine; installing what it names"
  npm --prefix "$1" install --no-save --no-audit --no-fund >"$2" 2>&1
}

# Usage: npm_modules FOLDER ; installs its modules, unless what is there was installed from the same lock file.
npm_modules() {
  local stamp="$1/node_modules/.installed-from" digest log
  [[ -f $1/package-lock.json ]] || die "$1/package-lock.json is missing, so its modules cannot be installed"
  digest="$(sha256sum <"$1/package-lock.json")"
  [[ $(cat "$stamp" 2>/dev/null) == "$digest" ]] && return 0
  say "installing the modules of ${1#"$ROOT"/}"
  log="$(mktemp)"
  install_locked "$1" "$log" || { sleep 5 && install_locked "$1" "$log"; } || {
    tail -n 20 "$log" >&2
    die "the modules of $1 could not be installed; npm's log is $log"
  }
  rm -f "$log"
  printf '%s\n' "$digest" >"$stamp"
}

# Usage: build PRESET [TARGET...] ; leaves build/PRESET/slipway. Without a target the tests are built too.
build() {
  local preset="$1"
  shift
  "$ROOT/deploy/packages/install" || exit 1
  npm_modules "$ROOT/web"
  cd "$ROOT" || die "cannot enter $ROOT"
  if [[ ! -f build/$preset/build.ninja ]]; then
    cmake --preset "$preset" >&2 || die "CMake could not configure the preset $preset"
  fi
  (($# > 0)) || set -- all
  cmake --build --preset "$preset" --parallel "$(nproc)" --target "$@" >&2 || die "the build of the preset $preset failed"
}
