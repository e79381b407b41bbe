#!/usr/bin/env bash
# Browser tests: run.sh [PUNIE_BINARY]. Shows that web/dist is what web/ builds, then drives the pages in headless
# Chromium. The last line is "N passed, N failed, N skipped"; without Node or a browser everything is skipped, with the
# reason. PUNIE_CHROMIUM names a browser.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)

skip() {
    echo "skipped: $1"
    echo "0 passed, 0 failed, 1 skipped"
    exit 0
}

find_browser() {
    local name
    for name in "${PUNIE_CHROMIUM:-}" chromium chromium-browser google-chrome google-chrome-stable \
        "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome" "/Applications/Chromium.app/Contents/MacOS/Chromium"; do
        [ -n "$name" ] && command -v "$name" && return 0
    done
    return 1
}

find_punie() {
    local build
    for build in "${1:-}" "$root/build/dev/punie" "$root/build/release/punie" "$root/build/debug/punie"; do
        [ -n "$build" ] && [ -x "$build" ] && echo "$build" && return 0
    done
    return 1
}

# npm ci only when the lock changed: it begins with deleting everything.
install() {
    local stamp="$1/node_modules/.punie-lock"
    cmp -s "$1/package-lock.json" "$stamp" && return 0
    (cd "$1" && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error) && cp "$1/package-lock.json" "$stamp"
}

command -v node >/dev/null 2>&1 || skip "node is not installed (Debian: apt-get install nodejs npm)"
command -v npm >/dev/null 2>&1 || skip "npm is not installed (Debian: apt-get install npm)"
[ "$(node -p 'process.versions.node.split(".")[0]')" -ge 20 ] || skip "node $(node --version) is older than 20"
browser=$(find_browser) || skip "no Chromium or Chrome is installed (Debian: apt-get install chromium)"
punie=$(find_punie "${1:-}") || {
    echo "no built punie: name it, or build first" >&2
    exit 2
}
install "$here" || skip "npm could not install the tests' packages"
install "$root/web" || skip "npm could not install the packages of web/"

passed=0 failed=0 skipped=0
check_pages() {
    local out page
    out=$(mktemp -d)
    (cd "$root/web" && npx tsc --noEmit && npx vite build --outDir "$out" --logLevel error &&
        npx vite build --mode dashboard --outDir "$out" --logLevel error) || true
    for page in report dashboard; do
        if cmp "$out/$page.html" "$root/web/dist/$page.html"; then
            passed=$((passed + 1))
            echo "web/dist/$page.html is what web/ builds"
        else
            failed=$((failed + 1))
            echo "FAILED: web/dist/$page.html is not what web/ builds; run: cd web && npm run build" >&2
        fi
    done
    rm -rf "$out"
}
check_pages 2>&1

tap=$(mktemp)
trap 'rm -f "$tap"' EXIT
status=0
PUNIE_CHROMIUM="$browser" PUNIE_BINARY="$punie" node --test --test-reporter=spec --test-reporter-destination=stdout \
    --test-reporter=tap --test-reporter-destination="$tap" "$here"/*.test.mjs || status=$?
number() { sed -n "s/^# $1 \([0-9]*\)$/\1/p" "$tap" | tail -1; }
passed=$((passed + $(number pass))) failed=$((failed + $(number fail))) skipped=$((skipped + $(number skipped)))
[ "$status" -eq 0 ] || [ "$failed" -gt 0 ] || failed=1
echo "screenshots: $root/build/screenshots"
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
