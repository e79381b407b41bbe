# shellcheck shell=bash disable=SC2034
# What quickstart and test share: paths, colours, and steps that show their progress and keep their whole log.
# Sourced, never run. Works with the bash 3.2 of macOS: no associative arrays, no mapfile, no empty "${array[@]}".

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
LOGS="$ROOT/build/logs"
STAMPS="$ROOT/.cache/stamps"
VENV="$ROOT/.venv"
PYTHON="$VENV/bin/python"
SYSTEM=$(uname -s)
STEP_GROUP=""
SECONDS=0

if [ -t 1 ] && [ -z "${NO_COLOR:-}" ] && [ "${TERM:-dumb}" != dumb ]; then
    BOLD=$'\033[1m' DIM=$'\033[2m' RED=$'\033[31m' GREEN=$'\033[32m' PLAIN=$'\033[0m'
else
    BOLD="" DIM="" RED="" GREEN="" PLAIN=""
fi

say() { printf '%s\n' "$*"; }
note() { printf '%s    %s%s\n' "$DIM" "$*" "$PLAIN"; }
die() {
    printf '%s%s%s\n' "$RED" "$*" "$PLAIN" >&2
    exit 1
}

# "42 s" or "3 min 07 s".
human_time() {
    if [ "$1" -lt 60 ]; then printf '%d s' "$1"; else printf '%d min %02d s' $(($1 / 60)) $(($1 % 60)); fi
}

done_line() { printf '%s✓%s %-44s %s\n' "$GREEN" "$PLAIN" "$1" "$2"; }
failed_line() { printf '%s✗ %-44s %s%s\n' "$RED" "$1" "$2" "$PLAIN"; }

# Ctrl-C and kill: the running step's whole process group goes, then we do.
interrupted() {
    trap - INT TERM
    if [ -n "$STEP_GROUP" ]; then
        kill -TERM -- "-$STEP_GROUP" 2>/dev/null || true
        wait "$STEP_GROUP" 2>/dev/null || true
    fi
    [ ! -t 1 ] || printf '\r\033[K'
    say "stopped; run it again to go on from here"
    exit 130
}

on_interrupt() { trap interrupted INT TERM; }

# How far a step is: the last "[12/80]" (ninja) or "12/80 Test" (ctest) of its log.
progress_of() {
    tail -c 4000 "$1" 2>/dev/null | LC_ALL=C tr '\r' '\n' |
        LC_ALL=C sed -n -e 's/^\[\([0-9]*\/[0-9]*\)\].*/\1/p' -e 's/^ *\([0-9]*\/[0-9]*\) Test .*/\1/p' | tail -n 1
}

# Shows a running step until it ends: on a terminal one line that changes, else a line every 30 s.
watch_step() {
    local pid=$1 title=$2 log=$3 began=$4 pause=0.05 shown=0 passed
    while kill -0 "$pid" 2>/dev/null; do
        sleep "$pause"
        passed=$((SECONDS - began))
        [ "$passed" -lt 1 ] || pause=0.3
        if [ -t 1 ] && [ "$passed" -ge 1 ]; then
            printf '\r\033[K  %-44s %s  %s' "$title" "$(human_time "$passed")" "$(progress_of "$log")"
        elif [ ! -t 1 ] && [ $((passed - shown)) -ge 30 ]; then
            shown=$passed
            printf '  %-44s %s  %s\n' "$title ..." "$(human_time "$passed")" "$(progress_of "$log")"
        fi
    done
    [ ! -t 1 ] || printf '\r\033[K'
}

# The part of a log that says why: from the first failure that ninja or ctest names, else the last lines.
what_failed() {
    if grep -q -E '^FAILED: |tests FAILED:' "$1"; then
        sed -n -E '/^FAILED: |tests FAILED:/,$p' "$1" | head -n 40
    else
        tail -n 25 "$1"
    fi
}

# run_step TITLE LOGNAME COMMAND...: runs it (a program, or a function of these scripts; see step.sh) with its output in
# build/logs/LOGNAME.log; one line when it is done. When it fails: the last lines of the log, where the log is, and its
# exit status as our return value.
run_step() {
    local title=$1 log="$LOGS/$2.log" began=$SECONDS status=0 pid
    shift 2
    mkdir -p "$LOGS"
    set -m # an own process group, so that Ctrl-C can end all of it
    "$ROOT/scripts/step.sh" "$@" >"$log" 2>&1 </dev/null &
    pid=$!
    set +m
    STEP_GROUP=$pid
    watch_step "$pid" "$title" "$log" "$began"
    wait "$pid" || status=$?
    STEP_GROUP=""
    if [ "$status" -eq 0 ]; then
        done_line "$title" "$(human_time $((SECONDS - began)))"
        return 0
    fi
    failed_line "$title" "after $(human_time $((SECONDS - began))), exit status $status"
    what_failed "$log" | sed 's/^/    /'
    say "    whole log: $log"
    return "$status"
}

# The SHA-1 of its standard input; the tool differs between the systems.
hash_of_input() {
    if command -v sha1sum >/dev/null 2>&1; then sha1sum | cut -d' ' -f1; else shasum | cut -d' ' -f1; fi
}

# up_to_date NAME HASH / mark_done NAME HASH: what was done for the same inputs need not be done again.
up_to_date() { [ "$(cat "$STAMPS/$1" 2>/dev/null)" = "$2" ]; }
mark_done() { mkdir -p "$STAMPS" && printf '%s\n' "$2" >"$STAMPS/$1"; }

processors() { getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2; }

# As many compilers at once as there are processors, but each of the largest files wants 1.2 GB.
compile_jobs() {
    local jobs memory
    jobs=$(processors)
    if [ -r /proc/meminfo ]; then
        memory=$(awk '/^MemAvailable/ {print int($2 / 1200000)}' /proc/meminfo)
        [ "$memory" -ge 1 ] || memory=1
        [ "$jobs" -le "$memory" ] || jobs=$memory
    fi
    echo "$jobs"
}

# The major version of a compiler; 0 if it is not there.
major_version() { "$1" -dumpversion 2>/dev/null | cut -d. -f1 || echo 0; }

# The C++ compiler to use; nothing when none will do. GCC below 14 destroys coroutine temporaries twice, and clang
# below 19 does not see std::expected in libstdc++.
choose_compiler() {
    local candidate version
    if [ -n "${CXX:-}" ]; then
        echo "$CXX"
        return
    fi
    for candidate in clang++-19 clang++-20 clang++-21 clang++ g++-14 g++-15 g++-16 g++; do
        command -v "$candidate" >/dev/null 2>&1 || continue
        version=$(major_version "$candidate")
        case $SYSTEM/$candidate in
            Darwin/clang++) echo "$candidate" && return ;;
            */clang*) [ "${version:-0}" -ge 19 ] && echo "$candidate" && return ;;
            Darwin/g++) ;; # clang under another name
            */g++*) [ "${version:-0}" -ge 14 ] && echo "$candidate" && return ;;
        esac
    done
}

# configure_preset PRESET: only when it was never configured, the presets changed, or the folder was moved here.
configure_preset() {
    local folder="$ROOT/build/$1" home
    if [ -f "$folder/CMakeCache.txt" ]; then
        home=$(sed -n 's/^CMAKE_HOME_DIRECTORY:INTERNAL=//p' "$folder/CMakeCache.txt")
        [ "$home" = "$ROOT" ] || rm -rf "$folder"
    fi
    if [ -f "$folder/build.ninja" ] && [ "$folder/build.ninja" -nt "$ROOT/CMakePresets.json" ]; then return; fi
    CXX=$(choose_compiler)
    export CXX
    (cd "$ROOT" && cmake --preset "$1")
}

# build_preset PRESET [TARGET...]
build_preset() {
    local preset=$1 targets=""
    shift
    if command -v ccache >/dev/null 2>&1; then
        export PUNIE_CCACHE=ccache CCACHE_BASEDIR="$ROOT"
        export CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime
    fi
    configure_preset "$preset"
    [ $# -eq 0 ] || targets="--target $*"
    # shellcheck disable=SC2086 # target names are single words
    cmake --build "$ROOT/build/$preset" --parallel "$(compile_jobs)" $targets
}
