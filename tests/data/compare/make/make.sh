#!/bin/sh
# make.sh LMEVAL_BIN INSPECT_BIN PROMPTFOO OUT: runs the real packages against fake_openai.py.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
out=$4
mkdir -p "$out"
ask() {  # ask FLAGS COMMAND...: COMMAND with $URL of a fresh fake
    mkfifo "$out/port"
    python3 "$here/fake_openai.py" $1 >"$out/port" &
    fake=$!
    read -r port <"$out/port"
    rm "$out/port"
    shift
    URL=http://127.0.0.1:$port/v1 "$@" || true
    kill $fake
}
lm_eval_of() {
    mkdir -p "$out/task"
    sed "s#DATA#$here/sums.jsonl#" "$here/sums.yaml" >"$out/task/sums.yaml"
    OPENAI_API_KEY=none HF_HUB_OFFLINE=1 "$lm_eval" run --model local-chat-completions \
        --model_args "model=$1,base_url=$URL/chat/completions,num_concurrent=1,max_retries=1" \
        --tasks sums --include_path "$out/task" --apply_chat_template --log_samples \
        --output_path "$out/lm-eval"
}
inspect_of() {
    (cd "$here" && OPENAI_API_KEY=none "$inspect" eval sums_inspect.py -T data=sums.jsonl --model "openai/$1" \
        --model-base-url "$URL" -M responses_api=false --temperature 0 --epochs "$3" --log-format "$2" --log-dir "$out/inspect-$1-$2-$3" \
        --display none --no-fail-on-error --max-connections 1 --max-retries 0 --limit "$4")
}
promptfoo_of() {
    OPENAI_BASE_URL="$URL" PROMPTFOO_CONFIG_DIR="$out/promptfoo-home" PROMPTFOO_DISABLE_TELEMETRY=1 PROMPTFOO_DISABLE_UPDATE=1 \
        $promptfoo eval -c "$here/promptfooconfig.yaml" --no-cache -j 1 --repeat "$1" --filter-first-n "$2" -o "$out/promptfoo-$1.json"
}
lm_eval=$1 inspect=$2 promptfoo=$3
ask "" lm_eval_of large
ask "" lm_eval_of small
ask "" inspect_of large json 1 24
ask --fail inspect_of small json 1 24
ask "" inspect_of small json 3 6
ask "" inspect_of large eval 1 4
ask --fail promptfoo_of 1 24
ask "" promptfoo_of 3 6
