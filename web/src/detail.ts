// One prompt: what was asked and expected, and each variant's answer with its calls and the reason
// of its verdict, side by side.
import type { Data, PromptRow, PromptTexts, Sample } from "./data";
import { scored, stateNames } from "./data";
import { h } from "./dom";
import { counted, duration } from "./format";
import { badge, outcomeOf } from "./list";
import type { Call, Judgement, SampleTexts } from "./types";

function member(value: unknown, name: string): unknown {
  return value !== null && typeof value === "object" ? (value as Record<string, unknown>)[name] : undefined;
}

/** JSON with indentation where it is JSON; else the text as it stands. */
function pretty(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}

const pre = (text: string, label?: string) => h("pre", label ? { tabindex: 0, role: "region", "aria-label": label } : {}, text);

function contentOf(message: unknown): HTMLElement[] {
  const parts: HTMLElement[] = [];
  const content = member(message, "content");
  if (typeof content === "string") parts.push(pre(content));
  else if (content !== undefined && content !== null) parts.push(pre(JSON.stringify(content, null, 2)));
  const calls = member(message, "tool_calls");
  if (Array.isArray(calls)) parts.push(pre(JSON.stringify(calls, null, 2)));
  return parts;
}

function toolName(tool: unknown): string {
  const name = member(member(tool, "function"), "name");
  return typeof name === "string" ? name : "tool";
}

function request(texts: PromptTexts): HTMLElement {
  return h("div", { class: "request" }, h("h4", {}, "Asked"),
    h("ol", { class: "messages" }, texts.messages.map((message) =>
      h("li", {}, h("span", { class: "role" }, String(member(message, "role") ?? "message")), contentOf(message)))),
    texts.tools.length > 0 && h("details", {}, h("summary", {}, `${counted(texts.tools.length, "tool")}: ${texts.tools.map(toolName).join(", ")}`),
      pre(JSON.stringify(texts.tools, null, 2), "Tools")));
}

function expectations(texts: PromptTexts): HTMLElement | null {
  if (texts.expectations.length === 0) return null;
  return h("div", {}, h("h4", {}, "Expected"),
    h("ul", { class: "plain" }, texts.expectations.map((one) => h("li", {},
      h("span", { class: "role" }, one.scorer), one.weight !== 1 ? ` (weight ${one.weight})` : "", one.text ? pre(one.text) : null))));
}

function callView(call: Call): HTMLElement {
  return h("div", { class: "call" },
    h("p", {}, h("code", { class: "call-name" }, call.name || "(no name)"),
      h("small", {}, call.path === "structured" ? "structured call" : `read from the text (${call.path ?? "unknown"})`)),
    pre(pretty(call.arguments ?? "")),
    call.problem ? h("p", { class: "problem" }, call.problem) : null);
}

function judgementView(judgement: Judgement): HTMLElement {
  const verdict = judgement.unparsed ? "nothing to judge" : judgement.passed ? "passed" : "not passed";
  return h("li", {}, h("span", { class: "role" }, judgement.scorer), ` ${verdict}`,
    judgement.score > 0 && judgement.score < 1 ? ` (${judgement.score.toFixed(2)})` : "",
    judgement.reason ? `: ${judgement.reason}` : "",
    judgement.extracted ? h("small", {}, "judged: ", h("code", {}, judgement.extracted)) : null);
}

function verdictLine(sample: Sample, texts: SampleTexts): HTMLElement {
  const outcome = !scored(sample) ? "none" : sample.passed ? "passed" : "wrong";
  const words = !scored(sample) ? `no answer (${stateNames[sample.state]})` : sample.passed ? "passed" : "not passed";
  const score = scored(sample) && sample.score > 0 && sample.score < 1 ? `, score ${sample.score.toFixed(2)}` : "";
  const cut = sample.state === 1 ? ", cut" : "";
  return h("p", { class: "outcome", "data-outcome": outcome }, h("strong", {}, words, cut, score),
    texts.reason || texts.error ? `: ${texts.reason ?? texts.error}` : "");
}

function sampleView(sample: Sample, texts: SampleTexts, several: boolean): HTMLElement {
  const judgements = texts.judgements ?? [];
  const figures = [sample.seconds > 0 ? duration(sample.seconds) : "", sample.tokens > 0 ? counted(sample.tokens, "token") : ""];
  return h("div", { class: "sample" },
    several ? h("h5", {}, `Sample ${sample.number + 1}`) : null,
    verdictLine(sample, texts),
    (texts.calls ?? []).map(callView),
    texts.text ? pre(texts.text) : (texts.calls ?? []).length === 0 && scored(sample) ? h("p", { class: "hint" }, "(empty answer)") : null,
    texts.thinking ? h("details", {}, h("summary", {}, "Thinking"), pre(texts.thinking)) : null,
    judgements.length > 1 || judgements.some((j) => j.extracted)
      ? h("details", {}, h("summary", {}, "How it was judged"), h("ul", { class: "plain" }, judgements.map(judgementView)))
      : null,
    h("small", {}, figures.filter((text) => text !== "").join(", ")));
}

/** Several samples of a variant that all came out the same way are closed but for the first. */
function variantView(data: Data, row: PromptRow, texts: PromptTexts, variant: number): HTMLElement {
  const mine = row.samples.map((sample, at) => ({ sample, texts: texts.samples[at] ?? {} }))
    .filter((one) => one.sample.variant === variant);
  const name = data.variantName(variant);
  const [first, ...more] = mine;
  return h("article", { class: "answer" },
    h("h4", {}, badge(outcomeOf(row, variant), name), " ", name),
    first ? sampleView(first.sample, first.texts, more.length > 0) : h("p", { class: "hint" }, "not asked"),
    more.length > 0 && h("details", {}, h("summary", {}, `${counted(more.length, "more sample")}`),
      more.map((one) => sampleView(one.sample, one.texts, true))));
}

export function detail(data: Data, row: PromptRow): HTMLElement {
  const texts = data.texts(row.at);
  const variants = data.head.variants ?? [];
  const place = [row.category && `category ${row.category}`, row.group && `group ${row.group}`].filter(Boolean).join(", ");
  return h("div", { class: "detail-body" },
    h("h3", { id: "detail-title", tabindex: -1 }, row.id), place ? h("p", { class: "hint" }, place) : null,
    h("div", { class: "asked" }, request(texts), expectations(texts)),
    h("div", { class: "answers" }, variants.map((_, at) => variantView(data, row, texts, at))));
}
