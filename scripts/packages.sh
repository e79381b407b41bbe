# shellcheck shell=bash
# System packages: what is missing, why it is needed, and how it is installed. Sourced after lib.sh.
# shellcheck disable=SC2119,SC2120 # the optional argument is "test"
# apt (Debian 12, Ubuntu 24.04) is tested on Debian; Homebrew is written with care but was never run.

# "PACKAGE reason", a line each. Where names differ between releases, boost_packages and compiler_packages choose.
apt_build_packages() {
    cat <<'LIST'
ninja-build the build
cmake the build
ccache makes the second build fast
libcli11-dev command lines
libfmt-dev text formatting
libyaml-cpp-dev configuration files
libssl-dev https
libedit-dev line editing in punie chat
libsqlite3-dev the journal
libre2-dev regular expressions that cannot hang
pkg-config finds RE2
g++ MLX compiles its kernels with it at run time
python3-venv the virtual environment that mlx_lm lives in
ca-certificates downloads over https
LIST
}

apt_test_packages() {
    cat <<'LIST'
libgtest-dev unit tests
libgmock-dev unit tests
shellcheck checks the shell scripts
json-schema-test-suite the official cases of JSON Schema
LIST
    if apt_has clang-19; then
        cat <<'LIST'
libclang-rt-19-dev sanitizers and fuzzing
clang-tidy-19 static checks
clang-format-19 formatting
LIST
    fi
}

# Installed, or known to apt. Before the first `apt-get update` of a fresh machine apt knows nothing.
apt_has() { installed "$1" || apt-cache show "$1" >/dev/null 2>&1; }

installed() { [ "$(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null)" = installed ]; }

apt_compiler_packages() {
    [ -z "$(choose_compiler)" ] || return 0
    if apt_has clang-19; then
        echo "clang-19 the C++23 compiler"
    elif apt_has g++-14; then
        echo "g++-14 the C++23 compiler"
    else
        echo "clang-19 the C++23 compiler"
    fi
}

# Boost from 1.81 on; releases differ in the number in the packages' names.
apt_boost_packages() {
    local version
    for version in 1.81 1.82 1.83 1.84 1.85 1.86 1.87 1.88 1.89 1.90; do
        if apt_has "libboost-url$version-dev"; then
            echo "libboost$version-dev sockets and coroutines (Asio, Beast)"
            echo "libboost-url$version-dev URLs"
            echo "libboost-json$version-dev JSON"
            return
        fi
    done
    echo "libboost1.81-dev sockets and coroutines (Asio, Beast)"
    echo "libboost-url1.81-dev URLs"
    echo "libboost-json1.81-dev JSON"
}

# apt_missing [test]: the lines of what is not installed yet. One call of dpkg-query for all.
apt_missing() {
    local names
    {
        apt_compiler_packages
        apt_boost_packages
        apt_build_packages
        [ "${1:-}" != test ] || apt_test_packages
    } >"$LOGS/packages.txt"
    names=$(cut -d' ' -f1 "$LOGS/packages.txt")
    # shellcheck disable=SC2086 # package names are single words
    dpkg-query -W -f='${db:Status-Status} ${Package}\n' $names 2>/dev/null |
        sed -n 's/^installed //p' >"$LOGS/packages-installed.txt"
    awk 'NR == FNR {have[$1] = 1; next} !($1 in have)' "$LOGS/packages-installed.txt" "$LOGS/packages.txt"
}

# The words to put before a command that needs root; asks for the password now, in the foreground, if it must.
as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        export SUDO=""
        return
    fi
    command -v sudo >/dev/null 2>&1 ||
        die "Not root and no sudo here. As root, run: apt-get install $1"
    say "Installing packages needs root; sudo may ask for your password."
    sudo -v || die "sudo refused. As root, run: apt-get install $1"
    export SUDO="sudo -n"
}

apt_update() { $SUDO apt-get update; }

# A failed update (a third party's repository that cannot be reached, say) is no reason to stop: the install tells.
apt_install() {
    # shellcheck disable=SC2086 # package names are single words
    $SUDO env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends $1
}

install_apt_packages() {
    local missing names
    mkdir -p "$LOGS"
    missing=$(apt_missing "${1:-}")
    [ -n "$missing" ] || return 0
    as_root "$(printf '%s\n' "$missing" | cut -d' ' -f1 | tr '\n' ' ')"
    run_step "package lists" apt-update apt_update || say "    going on with the package lists that are there"
    missing=$(apt_missing "${1:-}") # names can be chosen only now
    names=$(printf '%s\n' "$missing" | cut -d' ' -f1 | tr '\n' ' ')
    say "Missing system packages:"
    printf '%s\n' "$missing" | awk '{name = $1; $1 = ""; printf "    %-24s%s\n", name, $0}'
    run_step "system packages" apt-install apt_install "$names" || die "Install them by hand: apt-get install $names"
}

brew_packages() {
    echo "cmake ninja ccache boost cli11 fmt yaml-cpp openssl@3 sqlite re2 pkg-config python@3.12"
    [ "${1:-}" != test ] || echo "googletest shellcheck llvm@19"
}

install_brew_packages() {
    local name missing=""
    mkdir -p "$LOGS"
    xcode-select -p >/dev/null 2>&1 || die "Apple's compiler is missing. Run: xcode-select --install"
    command -v brew >/dev/null 2>&1 || die "Homebrew is missing: https://brew.sh says how to install it."
    # shellcheck disable=SC2046 # formula names are single words
    for name in $(brew_packages "${1:-}"); do
        [ -d "$(brew --prefix)/opt/$name" ] || missing="$missing $name"
    done
    PATH="$(brew --prefix)/opt/llvm@19/bin:$PATH"
    CMAKE_PREFIX_PATH="$(brew --prefix);$(brew --prefix)/opt/openssl@3"
    export PATH CMAKE_PREFIX_PATH
    [ -n "$missing" ] || return 0
    say "Missing Homebrew packages:$missing"
    # shellcheck disable=SC2086
    run_step "Homebrew packages" brew-install brew install $missing
}

# install_packages [test]: whatever this system's way is. Other systems are told what they need and left to try.
install_packages() {
    if [ "$SYSTEM" = Darwin ]; then
        install_brew_packages "${1:-}"
    elif command -v apt-get >/dev/null 2>&1; then
        install_apt_packages "${1:-}"
    else
        say "Neither apt-get nor Homebrew here. Needed: CMake 3.25, Ninja, clang 19 or GCC 14, Boost 1.81 (json, url),"
        say "CLI11, fmt 9, yaml-cpp 0.7, OpenSSL 3, Python 3.11 with venv, g++; for tests GoogleTest. Trying with what is there."
    fi
    [ -n "$(choose_compiler)" ] || die "No C++23 compiler found. Needed: clang 19, GCC 14 or Apple's clang; or set CXX."
}
