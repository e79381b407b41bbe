import { h, section } from "../dom";
import { bytes, counted, duration } from "../format";
import { ask, modelPath, Refused } from "./api";
import { Keyed, say, type Row } from "./keyed";
import type { Model, Ps } from "./types";

export interface ModelActions {
  logs(name: string): void;
  chat(name: string): void;
  failed(error: unknown): void;
}

const busy = (model: Model) => model.state === "starting" || model.state === "loading";
const up = (model: Model) => model.state === "ready" || model.state === "draining" || busy(model);
const seconds = (from: string, to: string) => Math.max(0, (Date.parse(to) - Date.parse(from)) / 1000);

function span(value: number): string {
  return value < 60 ? `${Math.round(value)} s` : duration(value);
}

/** One line on how it is and why; the numbers that change each second are at its end. */
function explain(model: Model, now: string): string {
  const parts: string[] = [];
  const since = seconds(model.since, now);
  if (busy(model)) {
    parts.push(model.load_seconds === undefined ? `loading for ${span(since)}` : `loading for ${span(since)}, the last load took ${span(model.load_seconds)}`);
  } else if (model.state === "failed") {
    parts.push(model.error?.message ?? model.reason ?? "failed");
    const wait = model.retries_at ? seconds(now, model.retries_at) : 0;
    parts.push(wait > 0 ? `tried again in ${span(wait)}` : "tried again with the next request");
  } else if (model.state === "draining") {
    parts.push(model.reason ?? "stops when its answers have ended");
  } else if (model.state === "ready") {
    parts.push(`ready for ${span(since)}`);
    if (model.unloads_at) parts.push(`unloaded in ${span(seconds(now, model.unloads_at))} without a request`);
  } else if (model.reason) {
    parts.push(model.reason);
  }
  if (model.adapter_loaded) parts.push(`adapter ${model.adapter_loaded}`);
  return parts.join("; ");
}

function requests(model: Model): string {
  const parts = [];
  if (model.running > 0) parts.push(`${model.running} running`);
  if (model.waiting > 0) parts.push(`${model.waiting} waiting`);
  parts.push(`${model.served} served`);
  if (model.crashes > 0) parts.push(counted(model.crashes, "crash", "crashes"));
  return parts.join(", ");
}

function memoryWords(model: Model): string {
  if (model.memory > 0 && model.memory_needed !== undefined && busy(model)) return `${bytes(model.memory)} of about ${bytes(model.memory_needed)}`;
  if (model.memory > 0) return bytes(model.memory);
  return model.memory_needed === undefined ? "" : `needs ${bytes(model.memory_needed)}`;
}

function row(first: Model, actions: ModelActions): Row<Model> & { budget(budget: number, now: string): void } {
  let model = first;
  let budget = 0;
  let now = first.since;
  const dot = h("span", { class: "state" });
  const why = h("p", { class: "why" });
  const log = h("details", { class: "failure" }, h("summary", {}, "Last lines of its log"));
  const logText = h("pre", {});
  log.append(logText);
  const progress = h("progress", { "aria-label": `Loading ${first.name}` });
  const fill = h("i", {});
  const need = h("i", { class: "need" });
  const bar = h("div", { class: "bar", "aria-hidden": "true" }, need, fill);
  const memory = h("p", { class: "memory" });
  const served = h("p", { class: "served" });
  const name = h("h3", {}, first.name);
  const about = h("p", { class: "about" });
  const toggle = h("button", { type: "button" });
  const logs = h("button", { type: "button", "aria-label": `Logs of ${first.name}` }, "Logs");
  const chat = h("button", { type: "button", "aria-label": `Chat with ${first.name}` }, "Chat");
  logs.addEventListener("click", () => actions.logs(model.name));
  chat.addEventListener("click", () => actions.chat(model.name));
  toggle.addEventListener("click", async () => {
    toggle.setAttribute("aria-disabled", "true");
    const what = model.state === "draining" ? "unload?force=1" : up(model) ? "unload" : "load";
    try {
      await ask(modelPath(model.name, what), { method: "POST" });
    } catch (error) {
      // Why a load failed stands in the model's own row as well.
      if (!(error instanceof Refused) || error.status !== 503) actions.failed(error);
    } finally {
      toggle.removeAttribute("aria-disabled");
    }
  });
  const element = h("li", { class: "model" },
    h("div", { class: "who" }, name, about), h("div", { class: "how" }, dot, why, progress, log),
    h("div", { class: "much" }, bar, memory, served), h("div", { class: "do" }, toggle, logs, chat));
  const draw = () => {
    element.dataset["state"] = model.state;
    say(dot, model.state);
    say(why, explain(model, now));
    progress.hidden = !busy(model);
    const share = loadShare(model, now);
    if (share === undefined) progress.removeAttribute("value");
    else progress.value = share;
    log.hidden = !(model.error?.log?.length);
    say(logText, (model.error?.log ?? []).join("\n"));
    bar.hidden = budget === 0 || (model.memory === 0 && model.memory_needed === undefined);
    fill.style.width = `${budget > 0 ? Math.min(100, (model.memory / budget) * 100) : 0}%`;
    need.dataset["over"] = String(budget > 0 && (model.memory_needed ?? 0) > budget);
    need.style.width = `${budget > 0 ? Math.min(100, ((model.memory_needed ?? 0) / budget) * 100) : 0}%`;
    say(memory, memoryWords(model));
    say(served, requests(model));
    const more = [model.backend, ...(model.pinned ? ["kept loaded"] : []),
      ...(model.aliases.length > 0 ? [`also ${model.aliases.join(", ")}`] : []),
      ...(model.adapters.length > 0 ? [counted(model.adapters.length, "adapter")] : [])];
    say(about, more.join(", "));
    about.title = model.path;
    const action = model.state === "draining" ? "Stop now" : up(model) ? "Unload" : "Load";
    // What runs elsewhere is neither started nor read by us.
    const ours = model.backend !== "openai";
    toggle.hidden = !ours;
    logs.hidden = !ours;
    say(toggle, action);
    toggle.setAttribute("aria-label", `${action} ${model.name}`);
  };
  return {
    element,
    update(next) { model = next; draw(); },
    budget(all, time) { budget = all; now = time; },
  };
}

/** How far a load is: by the time of the last one, else by memory; nothing if neither is known. */
function loadShare(model: Model, now: string): number | undefined {
  if (!busy(model)) return undefined;
  const most = 0.97;  // the end is when it answers, not when the clock says so
  if (model.load_seconds) return Math.min(most, seconds(model.since, now) / model.load_seconds);
  if (model.memory_needed) return Math.min(most, model.memory / model.memory_needed);
  return undefined;
}

export class Models {
  readonly element: HTMLElement;
  private readonly list = h("ul", { class: "models" });
  private readonly none = h("p", { class: "hint", hidden: true }, "The configuration names no models.");
  private readonly keyed: Keyed<Model>;
  private budget = 0;
  private now = "";

  constructor(actions: ModelActions) {
    this.element = section("models", "Models", this.list, this.none);
    this.keyed = new Keyed(this.list, (model) => model.name, (model) => {
      const made = row(model, actions);
      return { element: made.element, update: (next) => { made.budget(this.budget, this.now); made.update(next); } };
    });
  }

  show(ps: Ps): void {
    this.budget = ps.memory.budget;
    this.now = ps.now;
    this.none.hidden = ps.models.length > 0;
    this.keyed.show(ps.models);
  }
}
