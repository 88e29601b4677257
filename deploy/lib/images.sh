# shellcheck shell=bash
# Base images made from this machine's own files, so that none is pulled: busybox, and node with its libraries.
# And the security scanner, built on the first.

# Image $1 exists and was made from what $2 names.
image_is_current() {
  [[ $(docker image inspect --format '{{index .Config.Labels "slipway.made-from"}}' "$1" 2>/dev/null) == "$2" ]]
}

digest_of() {
  cat "$@" | sha256sum | cut -c 1-16
}

# Usage: import_image NAME MADE_FROM ROOT
import_image() {
  tar --create --numeric-owner --owner=0 --group=0 --directory "$3" . |
    docker import --change "LABEL slipway.made-from=$2" \
      --change 'ENV PATH=/usr/local/bin:/usr/bin:/bin:/sbin' --change 'CMD ["sh"]' - "$1" >/dev/null ||
    die "the image $1 could not be made"
}

# Usage: lay_busybox ROOT ; a small root file system with a shell.
lay_busybox() {
  mkdir -p "$1"/{bin,etc,root,tmp,usr/bin}
  chmod 1777 "$1/tmp"
  cp "$(command -v busybox)" "$1/bin/busybox"
  local applet
  for applet in $("$1/bin/busybox" --list); do
    [[ $applet == busybox ]] || ln -s busybox "$1/bin/$applet"
  done
  printf 'root:x:0:0:root:/root:/bin/sh\napp:x:1000:1000:app:/tmp:/bin/sh\n' >"$1/etc/passwd"
  printf 'root:x:0:\napp:x:1000:\n' >"$1/etc/group"
}

# Usage: lay_program ROOT FILE ; the program at /usr/bin, and its shared libraries where it looks for them.
lay_program() {
  local library
  cp --dereference "$2" "$1/usr/bin/"
  while read -r library; do
    mkdir -p "$1$(dirname "$library")"
    cp --dereference "$library" "$1$library"
  done < <(ldd "$2" | grep -oE '/[^ ]+')
}

make_busybox_image() {
  local made_from root
  made_from="$(digest_of "$(command -v busybox)" "${BASH_SOURCE[0]}")"
  image_is_current slipway-busybox "$made_from" && return 0
  root="$(mktemp --directory)"
  lay_busybox "$root"
  chmod 755 "$root"
  import_image slipway-busybox "$made_from" "$root"
  rm -rf "$root"
}

# Usage: lay_node_builtins ROOT FILE ; Debian's node reads some of its own modules from files that it names.
lay_node_builtins() {
  local module
  while read -r module; do
    [[ -f $module ]] || continue
    mkdir -p "$1$(dirname "$module")"
    cp --dereference "$module" "$1$module"
  done < <({ echo "$2" && ldd "$2" | grep -oE '/[^ ]*libnode[^ ]*'; } |
    xargs grep --text --only-matching --no-filename --extended-regexp '/usr/share/nodejs/[[:alnum:]_./-]+[.]js' | sort --unique)
}

make_sample_base_image() {
  local node made_from root
  node="$(node --print process.execPath)"
  made_from="$(digest_of "$node" "$(command -v busybox)" "${BASH_SOURCE[0]}")"
  image_is_current slipway-sample-base "$made_from" && return 0
  root="$(mktemp --directory)"
  lay_busybox "$root"
  lay_program "$root" "$node"
  lay_node_builtins "$root" "$node"
  chmod 755 "$root"
  import_image slipway-sample-base "$made_from" "$root"
  rm -rf "$root"
}

# Usage: make_scanner_image FOLDER
make_scanner_image() {
  local made_from log
  made_from="$(digest_of "$1"/* "${BASH_SOURCE[0]}")"
  image_is_current security-scanner "$made_from" && return 0
  log="$(DOCKER_BUILDKIT=0 docker build --label "slipway.made-from=$made_from" --tag security-scanner "$1" 2>&1)" || {
    printf '%s\n' "$log" >&2
    die "the image security-scanner could not be built"
  }
}

# Usage: make_images SOURCE_TREE
make_images() {
  make_busybox_image
  make_sample_base_image
  make_scanner_image "$1/deploy/sample/scanner"
  docker image prune --force --filter label=slipway.made-from >/dev/null  # what these replaced
}
