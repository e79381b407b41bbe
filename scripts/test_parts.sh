# shellcheck shell=bash
# The parts of ./test, one function each. Sourced after lib.sh and models.sh.
# A part leaves its counts in build/test-results/PART.counts ("passed failed skipped") and returns 0 when it went through.

RESULTS="$ROOT/build/test-results"
CTEST_JOBS=2
FUZZ_SECONDS=${PUNIE_FUZZ_SECONDS:-10}
TIDY_SECONDS=${PUNIE_TIDY_SECONDS:-480} # keeps ./test within its hour; ./test lint --all has no limit

# Python for reading results: the system's will do.
plain_python() { if [ -x "$PYTHON" ]; then echo "$PYTHON"; else find_python; fi; }

add_counts() { # PART PASSED FAILED SKIPPED
    local passed=0 failed=0 skipped=0
    [ ! -f "$RESULTS/$1.counts" ] || read -r passed failed skipped <"$RESULTS/$1.counts"
    echo "$((passed + $2)) $((failed + $3)) $((skipped + $4))" >"$RESULTS/$1.counts"
}

count_junit() { # PART FILE
    local counts
    counts=$("$(plain_python)" "$ROOT/scripts/junit_counts.py" "$2") || return 1
    # shellcheck disable=SC2086 # three numbers
    add_counts "$1" $counts
}

# A part whose tool this system does not have: said, and counted as one skipped.
skip_part() { # PART REASON
    say "  $1 skipped: $2"
    add_counts "$1" 0 0 1
}

run_ctest() { # PRESET LABELS JUNIT
    rm -f "$3"
    ctest --test-dir "$ROOT/build/$1" -L "$2" -j "$CTEST_JOBS" --output-on-failure --no-tests=error \
        --output-junit "$3" ${REPEAT:+--repeat "until-fail:$REPEAT"}
}

# ctest_part PART PRESET LABELS: builds the preset with its tests and runs those with the labels.
ctest_part() {
    local status=0 junit="$RESULTS/$1-$2.xml"
    run_step "build $2" "test-build-$2" build_preset "$2" || return 1
    run_step "$1 ($2)" "test-$1-$2" run_ctest "$2" "$3" "$junit" || status=$?
    count_junit "$1" "$junit" || return 1
    return "$status"
}

part_unit() { ctest_part unit debug '^unit$'; }

part_integration() { ctest_part integration debug '^integration$'; }

part_sanitizers() {
    local status=0
    export ASAN_OPTIONS=detect_leaks=1:strict_string_checks=1:detect_stack_use_after_return=1
    export UBSAN_OPTIONS=print_stacktrace=1
    export TSAN_OPTIONS=second_deadlock_stack=1
    ctest_part sanitizers asan '^(unit|integration)$' || status=1
    ctest_part sanitizers tsan '^(unit|integration)$' || status=1
    return "$status"
}

# One fuzz target for a few seconds, from its corpus; what it finds new goes to build/, not into the corpus.
run_fuzz_target() {
    local name work corpus
    name=$(basename "$1")
    work="$ROOT/build/fuzz-work/$name"
    corpus="$ROOT/tests/fuzz/corpus/${name#fuzz_}"
    [ -d "$corpus" ] || corpus="$ROOT/tests/fuzz/corpus/$name"
    mkdir -p "$work/found" "$corpus"
    "$1" -max_total_time="$FUZZ_SECONDS" -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 \
        -artifact_prefix="$work/" "$work/found" "$corpus"
}

part_fuzz() {
    local status=0 target name
    case $(choose_compiler) in
        *clang*) ;;
        *) skip_part fuzz "libFuzzer needs clang" && return 0 ;;
    esac
    [ "$SYSTEM" != Darwin ] || { skip_part fuzz "Apple's clang has no libFuzzer" && return 0; }
    run_step "build fuzz" test-build-fuzz build_preset fuzz fuzz || return 1
    for target in $(cd "$ROOT" && find build/fuzz -type f -name 'fuzz_*' -perm -u+x ! -name '*.*' | sort); do
        name=$(basename "$target")
        if run_step "$name, $FUZZ_SECONDS s" "test-$name" run_fuzz_target "$ROOT/$target"; then
            add_counts fuzz 1 0 0
        else
            add_counts fuzz 0 1 0
            status=1
        fi
    done
    return "$status"
}

sources() { (cd "$ROOT" && git ls-files -co --exclude-standard -- "$@"); }

check_format() {
    cd "$ROOT" || return
    sources '*.cpp' '*.hpp' | tr '\n' '\0' | xargs -0 clang-format-19 --dry-run -Werror
}

check_shell() {
    local script
    cd "$ROOT" || return
    for script in quickstart test .ci/run scripts/*.sh; do bash -n "$script"; done
    ! command -v shellcheck >/dev/null 2>&1 || shellcheck -x quickstart test .ci/run scripts/*.sh
}

check_python() {
    cd "$ROOT" || return
    sources '*.py' | tr '\n' '\0' | xargs -0 "$(plain_python)" -c '
import ast, sys
for name in sys.argv[1:]:
    with open(name, encoding="utf-8") as file:
        ast.parse(file.read(), name)
'
}

check_rooms() { "$(plain_python)" "$ROOT/scripts/check_rooms.py"; }

check_tidy() {
    configure_preset tidy
    if [ -n "${TIDY_ALL:-}" ]; then
        "$(plain_python)" "$ROOT/scripts/tidy.py" --jobs "$(compile_jobs)" --all
    else
        "$(plain_python)" "$ROOT/scripts/tidy.py" --jobs "$(compile_jobs)" --limit "$TIDY_SECONDS"
    fi
}

lint_check() { # TITLE FUNCTION
    if run_step "$1" "test-${2}" "$2"; then
        add_counts lint 1 0 0
    else
        add_counts lint 0 1 0
        return 1
    fi
}

part_lint() {
    local status=0
    lint_check "shell scripts" check_shell || status=1
    lint_check "Python files" check_python || status=1
    lint_check "includes point downwards" check_rooms || status=1
    if ! command -v clang-tidy-19 >/dev/null 2>&1; then
        skip_part lint "clang-format and clang-tidy 19 are not packaged here"
        return "$status"
    fi
    lint_check "clang-format" check_format || status=1
    lint_check "clang-tidy" check_tidy || status=1
    grep '^NOT CHECKED' "$LOGS/test-check_tidy.log" | sed 's/^/  /' || true
    return "$status"
}

# Installs to a folder outside the tree and builds and runs a program that knows only that folder.
run_install_test() {
    local prefix work
    work=$(mktemp -d "${TMPDIR:-/tmp}/punie install.XXXXXX") # a space, as people's folders have
    prefix="$work/prefix"
    # shellcheck disable=SC2064 # the folder's name of now
    trap "rm -rf '$work'" EXIT
    cmake --install "$ROOT/build/release" --prefix "$prefix"
    "$prefix/bin/punie" --version
    cp -R "$ROOT/examples/embed" "$work/embed"
    CXX=$(choose_compiler) cmake -S "$work/embed" -B "$work/build" -G Ninja -DCMAKE_BUILD_TYPE=Debug \
        "-DCMAKE_PREFIX_PATH=$prefix${CMAKE_PREFIX_PATH:+;$CMAKE_PREFIX_PATH}"
    cmake --build "$work/build"
    test -x "$work/build/punie-guard"
    PUNIE_MLX_LM="$VENV" "$work/build/embed" "$ROOT/models/tiny"
}

part_install() {
    run_step "build release" test-build-release build_preset release || return 1
    if run_step "install, find_package, serve" test-install run_install_test; then
        add_counts install 1 0 0
    else
        add_counts install 0 1 0
        return 1
    fi
}

run_e2e() {
    cd "$ROOT" || return
    PYTHONDONTWRITEBYTECODE=1 "$PYTHON" tests/e2e/run.py --punie "$ROOT/build/release/punie" --venv "$VENV" \
        --models "$ROOT/models" --counts "$RESULTS/e2e.now"
}

part_e2e() {
    local status=0 counts
    run_step "build release" test-build-release build_preset release || return 1
    rm -f "$RESULTS/e2e.now"
    run_step "e2e on the real mlx_lm" test-e2e run_e2e || status=$?
    read -r counts <"$RESULTS/e2e.now" || return 1
    # shellcheck disable=SC2086 # three numbers
    add_counts e2e $counts
    return "$status"
}

run_browser() {
    cd "$ROOT" || return
    bash tests/browser/run.sh "$ROOT/build/release/punie"
}

part_browser() {
    local status=0 log="$LOGS/test-browser.log"
    run_step "build release" test-build-release build_preset release || return 1
    run_step "the report in headless Chromium" test-browser run_browser || status=$?
    # shellcheck disable=SC2046 # three numbers
    add_counts browser $(sed -n 's/^\([0-9]*\) passed, \([0-9]*\) failed, \([0-9]*\) skipped$/\1 \2 \3/p' "$log" | tail -1)
    grep '^skipped: ' "$log" | sed 's/^/  /' || true
    return "$status"
}

run_clients() {
    cd "$ROOT" || return
    PYTHONDONTWRITEBYTECODE=1 "$(plain_python)" tests/clients/run.py "$ROOT/build/release/punie" \
        --build "$ROOT/build/clients" --counts "$RESULTS/clients.now"
}

part_clients() {
    local status=0 counts
    run_step "build release" test-build-release build_preset release || return 1
    rm -f "$RESULTS/clients.now"
    run_step "real clients against the gateway" test-clients run_clients || status=$?
    read -r counts <"$RESULTS/clients.now" || return 1
    # shellcheck disable=SC2086 # three numbers
    add_counts clients $counts
    return "$status"
}

run_soak() {
    "$(plain_python)" "$ROOT/tests/soak/soak.py" --punie "$ROOT/build/release/punie" --fakes "$ROOT/build/debug/tests" \
        --seconds "$PUNIE_SOAK_SECONDS" --counts "$RESULTS/soak.now"
}

part_soak() {
    local status=0 counts
    [ "$SYSTEM" != Darwin ] || { skip_part soak "it looks at processes in /proc" && return 0; }
    run_step "build release" test-build-release build_preset release || return 1
    run_step "build the fake server" test-build-fake build_preset debug fake-model-server || return 1
    rm -f "$RESULTS/soak.now"
    run_step "the gateway under everything at once" test-soak run_soak || status=$?
    read -r counts <"$RESULTS/soak.now" || return 1
    # shellcheck disable=SC2086 # three numbers
    add_counts soak $counts
    return "$status"
}
