#!/usr/bin/env python3
"""Punie beside lm-evaluation-harness, promptfoo and Inspect: the same prompts, the same server.

  bench/eval.py [--build build/bench] [--prompts 2000] [--peer-prompts 200] [--only punie,inspect]

Each tool is run as a person runs it, with every answer judged and stored, against fake-eval-server,
which answers at once; 32 requests at once. It is run with one prompt and with all: the difference
gives the cost of a request, the first the time to start. The peers come from their packages, into
build/bench-peers/ (Python 3.10 or later, and npm for promptfoo and the Node that it needs).
"""

import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parent.parent
PEERS = ROOT / "build" / "bench-peers"
AT_ONCE = 32
VERSIONS = {"lm-eval": "0.4.13", "inspect": "0.3.285", "promptfoo": "0.123.1"}


class Server:
    """fake-eval-server on a port of its own choice."""

    def __init__(self, program, *flags):
        self.process = subprocess.Popen(
            [program, "--port", "0", *flags], stdout=subprocess.PIPE, text=True)
        self.root = f"http://127.0.0.1:{self.process.stdout.readline().split()[-1]}"
        self.url = self.root + "/v1"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()

    def requests(self):
        with urllib.request.urlopen(self.root + "/stats") as answer:
            return json.load(answer)["requests"]


def install_python(name, *packages):
    folder = PEERS / name
    stamp = folder / (VERSIONS[name] + ".installed")
    if not stamp.exists():
        print(f"installing {name} {VERSIONS[name]} ...", file=sys.stderr)
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        subprocess.run([folder / "bin" / "pip", "-q", "install", *packages], check=True)
        stamp.touch()
    return folder / "bin"


def install_promptfoo():
    folder = PEERS / "promptfoo"
    program = folder / "node_modules" / ".bin" / "promptfoo"
    if not program.exists():
        print(f"installing promptfoo {VERSIONS['promptfoo']} ...", file=sys.stderr)
        folder.mkdir(parents=True, exist_ok=True)
        wanted = [f"promptfoo@{VERSIONS['promptfoo']}", "node@22"]  # it refuses Debian 12's Node
        subprocess.run(["npm", "install", "--no-fund", "--no-audit", *wanted], cwd=folder, check=True)
    return program


def prompts(count):
    return [f"Number {i}, is everything all right?" for i in range(count)]


def punie(build, url, folder, count):
    suite = {"suite": "bench", "prompts": [
        {"id": f"p{i}", "prompt": text, "expect": [{"contains": "ok"}]}
        for i, text in enumerate(prompts(count))]}
    (folder / "suite.yaml").write_text(json.dumps(suite))  # JSON is YAML
    return [build / "punie", "eval", "suite.yaml", "--url", url, "--concurrency", str(AT_ONCE),
            "--json"], {}


def lm_eval(build, url, folder, count):
    program = install_python("lm-eval", f"lm-eval[api]=={VERSIONS['lm-eval']}") / "lm_eval"
    rows = [json.dumps({"prompt": text, "answer": "ok"}) for text in prompts(count)]
    (folder / "rows.jsonl").write_text("\n".join(rows) + "\n")
    (folder / "bench.yaml").write_text(f"""task: bench
dataset_path: json
dataset_kwargs: {{data_files: {{test: {folder}/rows.jsonl}}}}
test_split: test
output_type: generate_until
doc_to_text: "{{{{prompt}}}}"
doc_to_target: "{{{{answer}}}}"
generation_kwargs: {{until: [], max_gen_toks: 512, temperature: 0}}
metric_list: [{{metric: exact_match}}]
""")
    arguments = (f"model=fake,base_url={url}/chat/completions,num_concurrent={AT_ONCE},"
                 "tokenized_requests=False,tokenizer_backend=None")
    return [program, "--model", "local-chat-completions", "--model_args", arguments, "--tasks",
            "bench", "--include_path", folder, "--apply_chat_template", "--output_path",
            folder / "out", "--log_samples"], {"HF_HUB_OFFLINE": "1", "HF_HOME": str(folder)}


def inspect(build, url, folder, count):
    program = install_python(
        "inspect", f"inspect_ai=={VERSIONS['inspect']}", "openai") / "inspect"
    rows = [json.dumps({"input": text, "target": "ok"}) for text in prompts(count)]
    (folder / "rows.jsonl").write_text("\n".join(rows) + "\n")
    (folder / "bench.py").write_text("""from inspect_ai import Task, task
from inspect_ai.dataset import json_dataset
from inspect_ai.scorer import includes
from inspect_ai.solver import generate

@task
def bench():
    return Task(dataset=json_dataset("rows.jsonl"), solver=generate(), scorer=includes())
""")
    return [program, "eval", "bench.py", "--model", "openai-api/bench/fake", "--max-connections",
            str(AT_ONCE), "--max-samples", str(AT_ONCE), "--temperature", "0", "--display", "none",
            "--log-dir", folder / "logs"], {"BENCH_API_KEY": "none", "BENCH_BASE_URL": url}


def promptfoo(build, url, folder, count):
    program = install_promptfoo()
    config = {
        "prompts": ["{{prompt}}"],
        "providers": [{"id": "openai:chat:fake", "config": {
            "apiBaseUrl": url, "apiKey": "none", "temperature": 0}}],
        "tests": [{"vars": {"prompt": text}, "assert": [{"type": "contains", "value": "ok"}]}
                  for text in prompts(count)]}
    (folder / "promptfooconfig.yaml").write_text(json.dumps(config))
    settings = {"PATH": f"{program.parent}:{os.environ['PATH']}",
                "PROMPTFOO_CONFIG_DIR": str(folder / "config"), "PROMPTFOO_DISABLE_UPDATE": "1",
                "PROMPTFOO_DISABLE_TELEMETRY": "1", "PROMPTFOO_DISABLE_REMOTE_GENERATION": "1"}
    return [program, "eval", "-c", "promptfooconfig.yaml", "-o", "out.json", "--no-cache", "-j",
            str(AT_ONCE), "--no-progress-bar", "--no-table"], settings


TOOLS = {"punie": punie, "lm-eval": lm_eval, "promptfoo": promptfoo, "inspect": inspect}


def run(name, build, fake, count):
    """CPU seconds, wall seconds and peak memory (MB) of one run; ends the bench if it failed."""
    with tempfile.TemporaryDirectory(prefix="punie-bench-") as temporary, Server(fake) as server:
        folder = pathlib.Path(temporary)
        command, settings = TOOLS[name](build, server.url, folder, count)
        with open(folder / "output", "wb") as output:
            began = time.monotonic()
            child = subprocess.Popen(
                list(map(str, command)), cwd=folder, env=os.environ | settings, stdout=output,
                stderr=output, stdin=subprocess.DEVNULL)
            _, status, usage = os.wait4(child.pid, 0)
            wall = time.monotonic() - began
            child.returncode = status  # it is reaped: Popen must not look for it
        asked = server.requests()
        if status != 0 or asked < count:
            print((folder / "output").read_text(errors="replace")[-3000:], file=sys.stderr)
            sys.exit(f"{name}: status {status}, {asked} of {count} requests arrived")
        kilobytes = usage.ru_maxrss / (1024 if sys.platform == "darwin" else 1)
        return usage.ru_utime + usage.ru_stime, wall, kilobytes / 1024


def measure(name, options, fake):
    count = options.prompts if name == "punie" else options.peer_prompts
    run(name, options.build, fake, 1)  # what is compiled or cached at the first start
    start = min((run(name, options.build, fake, 1) for _ in range(3)), key=lambda one: one[1])
    whole = min((run(name, options.build, fake, count) for _ in range(options.rounds)),
                key=lambda one: one[0])
    each = (whole[0] - start[0]) / (count - 1) * 1000
    return {"name": name, "count": count, "each": each, "start": start[1], "wall": whole[1],
            "memory": whole[2]}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build" / "bench")
    parser.add_argument("--prompts", type=int, default=2000)
    parser.add_argument("--peer-prompts", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--only", default=",".join(TOOLS))
    options = parser.parse_args()
    options.build = options.build.resolve()
    fake = options.build / "tests" / "fake-eval-server"
    rows = []
    for name in options.only.split(","):
        rows.append(measure(name, options, fake))
        print(f"{name}: done", file=sys.stderr)
    ours = next((row for row in rows if row["name"] == "punie"), None)
    print("| tool | prompts | CPU a request | start | wall | peak memory |")
    print("|---|---|---|---|---|---|")
    for row in rows:
        name = row["name"] + (f" {VERSIONS[row['name']]}" if row["name"] in VERSIONS else "")
        times = "" if ours in (None, row) else f" ({row['each'] / ours['each']:.0f} times)"
        starts = "" if ours in (None, row) else f" ({row['start'] / ours['start']:.0f} times)"
        print(f"| {name} | {row['count']} | {row['each']:.3f} ms{times} | {row['start']:.3f} s{starts}"
              f" | {row['wall']:.2f} s | {row['memory']:.0f} MB |")


if __name__ == "__main__":
    main()
