// A gateway for the dashboard's tests: the control API and a chat, with a script instead of models.
import { createServer } from "node:http";
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const page = readFileSync(join(dirname(fileURLToPath(import.meta.url)), "../../web/dist/dashboard.html"));
const GB = 1e9;

export function model(name, more = {}) {
  return {
    name, aliases: [], adapters: [], backend: "mlx", path: `/models/${name}`, state: "stopped", since: new Date().toISOString(),
    memory: 0, running: 0, waiting: 0, served: 0, loads: 0, crashes: 0, pinned: false, ...more,
  };
}

export class FakeGateway {
  models = [];
  live = [];
  requests = [];
  events = [];
  log = ["server starts", "loading weights"];
  calls = [];            // "POST /control/models/a/load"
  headers = [];
  key = "";              // wanted, "" none
  ahead = 0;             // milliseconds of its clock
  chat = (response) => { chunks(response, ["Hel", "lo", " there"]); };
  #watchers = new Set();
  #followers = new Set();
  #number = 0;
  #server;

  async start() {
    this.#server = createServer((request, response) => this.#answer(request, response));
    await new Promise((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
    this.url = `http://127.0.0.1:${this.#server.address().port}/`;
    return this;
  }

  stop() {
    this.#server.closeAllConnections();
    return new Promise((resolve) => this.#server.close(resolve));
  }

  /** Connections of watchers torn, as by a crash. */
  drop() {
    for (const one of this.#watchers) one.destroy();
  }

  happen(what) {
    this.events.push({ number: ++this.#number, time: new Date().toISOString(), what: "state", text: "", ...what });
    this.tell({ events: [this.events.at(-1)] });
  }

  end(request) {
    this.requests.push({
      number: this.requests.length + 1, time: new Date().toISOString(), id: `req-${this.requests.length + 1}`, method: "POST",
      route: "/v1/chat/completions", model: "", peer: "127.0.0.1", status: 200, stream: true, torn: false, attempts: 1,
      waited_s: 0, first_byte_s: 0.12, total_s: 1.5, tokens_in: 12, tokens_out: 80, ...request,
    });
    this.tell({ requests: [this.requests.at(-1)] });
  }

  print(line) {
    this.log.push(line);
    for (const one of this.#followers) one.write(`${line}\n`);
  }

  ps() {
    return {
      version: "0.1.0", pid: 4711, now: new Date(Date.now() + this.ahead).toISOString(), started: new Date().toISOString(), file: "/home/me/punie.yaml",
      memory: { budget: 12 * GB, used: this.models.reduce((sum, one) => sum + one.memory, 0) }, models: this.models,
    };
  }

  tell(fresh = {}) {
    const line = JSON.stringify({ ps: this.ps(), live: this.live, events: [], requests: [], ...fresh });
    for (const one of this.#watchers) one.write(`${line}\n`);
  }

  #answer(request, response) {
    this.calls.push(`${request.method} ${request.url}`);
    this.headers.push(request.headers);
    const path = request.url.split("?")[0];
    if (path === "/") {
      response.writeHead(200, { "Content-Type": "text/html; charset=utf-8" }).end(page);
    } else if (this.key && request.headers.authorization !== `Bearer ${this.key}`) {
      fail(response, 401, "the control API wants a key");
    } else if (path === "/control/watch") {
      response.writeHead(200, { "Content-Type": "application/x-ndjson" });
      response.write(`${JSON.stringify({ ps: this.ps(), live: this.live, events: this.events, requests: this.requests })}\n`);
      this.#watchers.add(response);
      response.on("close", () => this.#watchers.delete(response));
    } else if (path.endsWith("/logs")) {
      response.writeHead(200, { "Content-Type": "text/plain; charset=utf-8" });
      response.write(this.log.map((line) => `${line}\n`).join(""));
      this.#followers.add(response);
      response.on("close", () => this.#followers.delete(response));
    } else if (/^\/control\/models\/.*\/(load|unload)$/.test(path)) {
      const name = decodeURIComponent(path.split("/").slice(3, -1).join("/"));
      const found = this.models.find((one) => one.name === name);
      if (found) this.act?.(found, path.split("/").at(-1), response);
      if (!response.writableEnded) response.writeHead(200, { "Content-Type": "application/json" }).end(JSON.stringify({ model: found }));
    } else if (path === "/v1/chat/completions") {
      let body = "";
      request.on("data", (piece) => { body += piece; });
      request.on("end", () => {
        this.asked = JSON.parse(body);
        this.chat(response, this.asked);
      });
    } else {
      fail(response, 404, "no such control");
    }
  }
}

export function fail(response, status, message, hint) {
  response.writeHead(status, { "Content-Type": "application/json" }).end(JSON.stringify({ error: { code: "x", message, hint } }));
}

export function chunks(response, texts, done = true) {
  response.writeHead(200, { "Content-Type": "text/event-stream" });
  response.write(": the model is loading\n\n");
  for (const content of texts) response.write(`data: ${JSON.stringify({ choices: [{ index: 0, delta: { content } }] })}\n\n`);
  if (done) response.write(`data: ${JSON.stringify({ choices: [], usage: { completion_tokens: texts.length } })}\n\ndata: [DONE]\n\n`);
  response.end();
}

/** A house with every state in it. */
export function usual(gateway) {
  const ago = (seconds) => new Date(Date.now() - seconds * 1000).toISOString();
  const ahead = (seconds) => new Date(Date.now() + seconds * 1000).toISOString();
  gateway.models = [
    model("qwen3-8b", { state: "ready", since: ago(5400), memory: 5.1 * GB, memory_needed: 5.2 * GB, running: 2, served: 1204, loads: 3, unloads_at: ahead(540), aliases: ["default"], load_seconds: 6.1 }),
    model("smollm2-base", { state: "loading", since: ago(4), memory: 0.4 * GB, memory_needed: 1.1 * GB, load_seconds: 9, waiting: 3, adapters: ["smollm2-base:home", "smollm2-base:mail"] }),
    model("mlx-community/Mistral-Small-24B-Instruct-2501-4bit", { state: "failed", since: ago(60), retries_at: ahead(42), crashes: 3, memory_needed: 13.9 * GB, reason: "it ended while loading",
      error: { code: "exited", message: "mlx_lm.server ended while it loaded (signal 9)", log: ["Fetching 12 files", "libc++abi: terminating due to uncaught exception", "[METAL] Command buffer execution failed: Insufficient Memory"] } }),
    model("gemma-4b", { state: "stopped", since: ago(900), reason: "unloaded after 600 s without a request", memory_needed: 2.8 * GB, served: 88, loads: 1, pinned: false }),
    model("whisper-notes", { state: "draining", since: ago(2), memory: 1.9 * GB, memory_needed: 1.9 * GB, running: 1, pinned: true, backend: "llama" }),
    model("gpt-far", { state: "ready", since: ago(9000), backend: "openai", path: "https://api.example.com/v1", served: 12 }),
  ];
  gateway.live = [
    { number: 1, id: "req-9f3a", route: "/v1/chat/completions", model: "qwen3-8b", peer: "127.0.0.1", key: "laptop", phase: "answering", seconds: 3.2, tokens: 154 },
    { number: 2, id: "req-77b0", route: "/v1/messages", model: "qwen3-8b", peer: "192.168.1.20", phase: "sent", seconds: 0.4, tokens: 0 },
    { number: 3, id: "req-1c2d", route: "/v1/chat/completions", model: "smollm2-base:home", peer: "127.0.0.1", phase: "waiting", seconds: 4.1, tokens: 0 },
  ];
  for (let i = 0; i < 40; ++i) {
    const bad = i % 13 === 5;
    gateway.end({ model: i % 3 ? "qwen3-8b" : "gemma-4b", total_s: 0.4 + i / 10, tokens_out: 20 + i, ...(i % 2 ? { key: "laptop" } : {}),
      ...(bad ? { status: 503, stream: false, first_byte_s: undefined, tokens_in: 0, tokens_out: 0, error: "model_failed_to_start", reason: "mlx_lm.server ended while it loaded (signal 9); tried again in 42 s" } : {}) });
  }
  gateway.happen({ model: "qwen3-8b", state: "ready", text: "ready after 6.1 s" });
  gateway.happen({ model: "gemma-4b", state: "stopped", text: "unloaded after 600 s without a request" });
  gateway.happen({ model: "mlx-community/Mistral-Small-24B-Instruct-2501-4bit", state: "failed", text: "mlx_lm.server ended while it loaded (signal 9)" });
  gateway.happen({ model: "smollm2-base", state: "loading", text: "loading for 3 waiting requests" });
  for (let i = 0; i < 60; ++i) gateway.log.push(`2026-11-24 13:${String(i).padStart(2, "0")}:02,114 - INFO - Prompt processing progress: ${i * 17}/${1020}`);
}
