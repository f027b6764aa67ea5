# Sourced by every script: speaks to the user, and makes the Python environment.
#
# After `prepare_environment [VERSION]` the variable `venv` names a virtual
# environment in the clone that holds Home Assistant VERSION (default: $HA_VERSION)
# and everything in requirements_test.txt. What is downloaded is kept in $CACHE and in
# uv's own cache, so a second clone, or the same one offline, needs no network.
# shellcheck shell=bash
set -Eeuo pipefail

if ((BASH_VERSINFO[0] * 100 + BASH_VERSINFO[1] < 404)); then
  echo "${0##*/}: bash 4.4 or newer is needed; macOS has an older one, Homebrew a newer" >&2
  exit 1
fi

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
CACHE=${XDG_CACHE_HOME:-$HOME/.cache}/ev_charger_hub
HA_VERSION=2026.10
doing="start"

say() { printf '==> %s\n' "$*" >&2; }

# Announce a step; its words end the sentence that the user reads when it fails.
step() {
  doing=$1
  say "${doing^}${2:+ ($2)}"
}

fail() {
  trap - ERR
  printf '%s: %s\n' "${0##*/}" "$*" >&2
  exit 1
}

trap '((BASH_SUBSHELL)) || fail "could not $doing; the lines above say why"' ERR

# shellcheck source=scripts/lib/python.sh
source "$ROOT/scripts/lib/python.sh"

# Hold a lock until this shell ends, so that two scripts never build the same thing.
lock() {
  mkdir -p "$(dirname "$1")"
  command -v flock >/dev/null || return 0
  exec {lock_fd}>"$1.lock"
  flock --nonblock "$lock_fd" && return
  say "Waiting for another script that uses $1"
  flock "$lock_fd"
}

unlock() { [[ -z ${lock_fd:-} ]] || exec {lock_fd}>&-; }

# Install from the caches when they hold everything, else from the package index.
install_packages() {
  "$uv" pip install --quiet --offline --python "$venv/bin/python" "$@" 2>/dev/null ||
    "$uv" pip install --python "$venv/bin/python" "$@" >&2
}

# Put uv's arguments for Home Assistant $1 into `requirements`.
requirements_of() {
  requirements=(-r "$ROOT/requirements_test.txt")
  [[ $1 == "$HA_VERSION" ]] && return
  [[ -f $ROOT/requirements_$1.txt ]] ||
    fail "Home Assistant $1 is not known here: there is no requirements_$1.txt"
  requirements+=(--override "$ROOT/requirements_$1.txt")
}

is_ready() {
  [[ -x $venv/bin/python && $(cat "$venv/.stamp" 2>/dev/null) == "$stamp" ]]
}

prepare_environment() {
  local version=${1:-$HA_VERSION} stamp requirements
  venv=$ROOT/.venv/$version
  requirements_of "$version"
  stamp=$(cat "$ROOT"/requirements_*.txt "$ROOT/scripts/lib/components.py" | cksum)
  is_ready && return
  find_uv
  find_python
  lock "$venv"
  is_ready || build_environment "$version"
  unlock
}

build_environment() {
  if ! "$venv/bin/python" -c '' 2>/dev/null; then
    step "create the environment .venv/$1"
    "$uv" venv --quiet --clear --no-project --python "$python" "$venv" >&2
  fi
  step "install Home Assistant $1 and the tools" "a few minutes the first time"
  install_packages "${requirements[@]}"
  step "install what Home Assistant's components need"
  install_components
  echo "$stamp" >"$venv/.stamp"
}

# Install what the components need; those that nobody needs here may fail, as they do
# where a package has to be compiled and there is no compiler.
install_components() {
  local list=$venv/.components.txt package
  (cd "$ROOT" && "$venv/bin/python" -m scripts.lib.components) >"$list"
  install_packages -r "$list" && return
  while read -r package; do
    install_packages "$package" ||
      say "Home Assistant goes without $package, which could not be installed"
  done <"$list"
  "$venv/bin/python" -c 'import hass_frontend'
}
