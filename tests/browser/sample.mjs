// A plausible report.json of any size, the same every time: a small model that learns a home's
// tools, its 4-bit form, and prompts whose answers try to be code.
import { writeFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

/** Numbers from 0 to 1 that repeat with the seed (mulberry32). */
function dice(seed) {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

const rooms = ["kitchen", "bedroom", "bathroom", "hall", "study", "garage", "attic", "cellar", "balcony", "nursery"];
const tools = [
  ["set_light", { room: { type: "string" }, on: { type: "boolean" } }],
  ["set_blinds", { room: { type: "string" }, closed: { type: "boolean" } }],
  ["set_temperature", { room: { type: "string" }, degrees: { type: "number" } }],
  ["get_time", {}],
].map(([name, properties]) => ({
  type: "function",
  function: { name, description: `${name.replace("_", " ")} of the house`, parameters: { type: "object", properties } },
}));

const kinds = [
  {
    category: "single-call", group: "lights",
    ask: (room) => `Turn on the light in the ${room}, please.`,
    call: (room) => ["set_light", { room, on: true }],
    wrong: (room) => ["set_light", { room, on: false }],
    blame: (room) => `set_light: argument "on" is false, expected true (room ${room})`,
  },
  {
    category: "single-call", group: "blinds",
    ask: (room) => `It is too bright in the ${room}. Close the blinds.`,
    call: (room) => ["set_blinds", { room, closed: true }],
    wrong: () => ["set_blinds", { closed: true }],
    blame: () => `set_blinds: argument "room" is missing`,
  },
  {
    category: "parameters", group: "heating",
    ask: (room, n) => `Make the ${room} ${18 + (n % 6)} degrees warm.`,
    call: (room, n) => ["set_temperature", { room, degrees: 18 + (n % 6) }],
    wrong: (room, n) => ["set_temperature", { room, degrees: String(18 + (n % 6)) }],
    blame: (_room, n) => `set_temperature: argument "degrees" is the text "${18 + (n % 6)}", expected the number ${18 + (n % 6)}`,
  },
  {
    category: "restraint", group: "talk",
    ask: (room) => `What is a dimmer, and would one suit a ${room}?`,
    text: "A dimmer lowers the power that a lamp gets, so it shines less brightly. It suits rooms where you sit in the evening.",
    wrong: (room) => ["set_light", { room, on: true }],
    blame: () => "a call of set_light came, expected no call",
  },
];

const hostile = [
  `<script>window.hacked = "script"</script>`,
  `<img src=x onerror="window.hacked = 'image'">`,
  `</script><script>window.hacked = "closed"</script><!-- <script>`,
  `\u001b[31mred\u001b[0m \u001b]8;;http://example.com\u0007link\u001b]8;;\u0007 \u2028 \u2029 \u0000 end`,
  `<a href="javascript:window.hacked='link'">click</a> <svg onload="window.hacked='svg'"></svg>`,
  `<iframe srcdoc="<script>parent.hacked = 'frame'</script>"></iframe> {{data}} {{title}} $& $1`,
];

function wilson(hits, n) {
  const z = 1.959964;
  const share = hits / n;
  const middle = (share + (z * z) / (2 * n)) / (1 + (z * z) / n);
  const half = (z / (1 + (z * z) / n)) * Math.sqrt((share * (1 - share)) / n + (z * z) / (4 * n * n));
  return { value: share, low: Math.max(0, middle - half), high: Math.min(1, middle + half), method: "wilson" };
}

/** How often a variant is right, by category. */
const skills = [
  { name: "base", what: "SmolLM2-135M-Instruct", right: { "single-call": 0.04, parameters: 0, restraint: 0.6 } },
  { name: "tuned", what: "base with a LoRA adapter, rank 8", right: { "single-call": 0.93, parameters: 0.72, restraint: 0.8 } },
  { name: "tuned-4bit", what: "tuned, fused, 4 bits", right: { "single-call": 0.88, parameters: 0.55, restraint: 0.78 } },
];

function answer(kind, prompt, variant, n, chance) {
  const room = rooms[n % rooms.length];
  const right = chance() < skills[variant].right[kind.category];
  const sample = { variant, number: 0, state: "answered", score: right ? 1 : 0, seconds: 0.2 + chance() * 0.6, completion_tokens: 12 + Math.floor(chance() * 40) };
  if (right) sample.passed = true;
  if (prompt.id.startsWith("hostile")) {
    sample.text = hostile[n % hostile.length];
    sample.thinking = hostile[(n + 1) % hostile.length];
    sample.reason = `expected a call, got ${hostile[n % hostile.length]}`;
    return { ...sample, score: 0, passed: false, unparsed: true };
  }
  if (chance() < 0.01) return { variant, number: 0, state: "failed", score: 0, seconds: 30, completion_tokens: 0, error: "waited 30 s for the answer; nothing came (3 attempts)" };
  const call = right ? kind.call?.(room, n) : kind.wrong(room, n);
  if (variant === 0 && !right && kind.call) {
    sample.text = `Sure! I can help you with the ${room}. To do this, first go to the ${room} and look for the switch. Then press it once.`;
    sample.unparsed = true;
    sample.reason = `no call came, expected ${kind.call(room, n)[0]}`;
  } else if (call) {
    sample.calls = [{ name: call[0], arguments: JSON.stringify(call[1]), path: variant === 1 ? "hermes" : "structured" }];
    sample.reason = right ? `${call[0]} with the arguments expected` : kind.blame(room, n);
  } else {
    sample.text = kind.text;
    sample.reason = `no call, and "dimmer" is in the answer`;
  }
  if (variant === 1 && n % 7 === 0) sample.thinking = `The person wants something in the ${room}. The tool for it takes the room's name.`;
  if (chance() < 0.015) Object.assign(sample, { state: "cut", reason: "the answer was cut at 400 tokens" });
  sample.judgements = [{ scorer: kind.call ? "tool_call" : "no_tool_call", score: sample.score, passed: right, reason: sample.reason, extracted: call ? `${call[0]}(${JSON.stringify(call[1])})` : "" }];
  return sample;
}

/** `count` prompts for `variants` variants: 10,000 answers are 3334 prompts of three. */
export function makePrompts(count, variants, chance) {
  const prompts = [];
  for (let n = 0; n < count; ++n) {
    const kind = kinds[n % kinds.length];
    const room = rooms[n % rooms.length];
    const id = n % 20 === 17 ? `hostile-${n}` : `${kind.group}-${room}-${n}`;
    const prompt = {
      id, group: `${kind.group}-${room}`, category: kind.category, tools,
      messages: [{ role: "system", content: "You control a house. Use a tool when it helps, else answer shortly." },
        { role: "user", content: kind.ask(room, n) }],
      expectations: [{ scorer: kind.call ? "tool_call" : "no_tool_call", text: kind.call ? JSON.stringify({ name: kind.call(room, n)[0], arguments: kind.call(room, n)[1] }, null, 2) : "true", weight: 1 }],
    };
    prompt.samples = Array.from({ length: variants }, (_, variant) => answer(kind, prompt, variant, n, chance));
    prompts.push(prompt);
  }
  return prompts;
}

const judged = (sample) => sample.state === "answered" || sample.state === "cut";

function variantOf(prompts, at) {
  const samples = prompts.map((prompt) => prompt.samples[at]);
  const counts = { answered: 0, cut: 0, refused: 0, failed: 0, not_asked: 0, unparsed: 0, passed: 0 };
  for (const sample of samples) {
    counts[sample.state] += 1;
    if (sample.unparsed) counts.unparsed += 1;
    if (judged(sample) && sample.passed) counts.passed += 1;
  }
  const categories = [...new Set(prompts.map((prompt) => prompt.category))].map((category) => {
    const mine = prompts.filter((prompt) => prompt.category === category && judged(prompt.samples[at]));
    return { category, prompts: mine.length, mean: wilson(mine.filter((prompt) => prompt.samples[at].passed).length, mine.length) };
  }).filter((one) => one.prompts > 0);
  return {
    name: skills[at].name, what: skills[at].what, source: `eval-7f3a9c2${at}`,
    mean: wilson(counts.passed, counts.answered + counts.cut), prompts: prompts.length, samples: prompts.length,
    groups: new Set(prompts.map((prompt) => prompt.group)).size, counts, categories,
    sampling: [{ name: "temperature", value: "0" }, { name: "seed", value: "1 + sample number" }, { name: "max_tokens", value: "400" }],
    identity: [{ name: "backend", value: "mlx_lm 0.32.2" }, { name: "chat template", value: "sha256:1f0c77aa41d2" }, { name: "suite", value: "sha256:93be20c14fd1" }],
    model_bytes: [269060552, 272110552, 84060552][at], bits_per_weight: [16, 16, 4.5][at], seconds: prompts.length * 0.21, tokens_per_second: [141.2, 138.9, 190.4][at],
  };
}

/** Two-sided exact McNemar test. */
function mcnemar(won, lost) {
  const n = won + lost;
  let term = -n * Math.LN2;
  let tail = 0;
  for (let k = 0; k <= Math.min(won, lost); ++k) {
    tail += Math.exp(term);
    term += Math.log((n - k) / (k + 1));
  }
  return Math.min(1, 2 * tail);
}

function differenceOf(prompts, baseline, other, category) {
  let won = 0, lost = 0, pairs = 0;
  for (const prompt of prompts) {
    const [a, b] = [prompt.samples[baseline], prompt.samples[other]];
    if ((category && prompt.category !== category) || !judged(a) || !judged(b)) continue;
    pairs += 1;
    won += b.score > a.score ? 1 : 0;
    lost += b.score < a.score ? 1 : 0;
  }
  const value = (won - lost) / pairs;
  const half = 1.96 * Math.sqrt(Math.max(won + lost - (won - lost) ** 2 / pairs, 1)) / pairs;
  const p = mcnemar(won, lost);
  const claim = pairs < 20 ? "too_few" : p > 0.05 ? "no_visible_difference" : value > 0 ? "better" : "worse";
  const who = `${skills[other].name} against ${skills[baseline].name}`;
  const points = Math.abs(value * 100).toFixed(1);
  const words = {
    too_few: `too few prompts to tell (${pairs}; at least 20 are needed)`,
    no_visible_difference: "no difference that this suite could show",
    better: `${who} is better by ${points} points`, worse: `${who} is worse by ${points} points`,
  }[claim];
  return {
    baseline, other, ...(category ? { category, exploratory: true } : {}),
    difference: { value, low: Math.max(-1, value - half), high: Math.min(1, value + half), method: "newcombe_paired" },
    prompts: pairs, groups: Math.ceil(pairs / 3), p, ...(category ? {} : { p_adjusted: Math.min(1, 2 * p) }), p_method: "mcnemar_exact",
    claim, words, smallest_visible: Math.min(1, 2.8 * Math.sqrt(Math.max(won + lost, 6)) / pairs),
    ...(value === 0 ? {} : { prompts_needed: Math.max(20, Math.round(7.85 * (won + lost) / pairs / value ** 2)) }),
    power_method: "connor_1987", won, lost, same: pairs - won - lost,
  };
}

function trainingOf(iterations, chance) {
  const points = [];
  for (let iteration = 10; iteration <= iterations; iteration += 10) {
    const fall = Math.exp(-iteration / 90);
    const point = { iteration, train_loss: 0.31 + 2.4 * fall + 0.12 * (chance() - 0.5), memory_gb: 1.21 + 0.02 * Math.min(1, iteration / 60), tokens_per_second: 640 + 60 * (chance() - 0.5) };
    if (iteration % 50 === 0 || iteration === 10) point.valid_loss = 0.42 + 2.3 * fall + Math.max(0, iteration - 250) * 0.0012;
    points.push(point);
  }
  return {
    name: "tuned", points, best_iteration: 250, kept_iteration: 250, seconds: 184,
    settings: [{ name: "iterations", value: String(iterations) }, { name: "batch size", value: "4" }, { name: "rank", value: "8" }, { name: "learning rate", value: "1e-4" }, { name: "mask prompt", value: "yes" }],
    notes: ["2 of 242 rows were left over at the end of each epoch (242 is no multiple of the batch size 4)"],
  };
}

export function makeReport({ prompts: count = 60, variants: number = 3, seed = 7 } = {}) {
  const chance = dice(seed);
  const prompts = makePrompts(count, number, chance);
  const variants = Array.from({ length: number }, (_, at) => variantOf(prompts, at));
  const differences = [];
  const pairs = number > 2 ? [[0, 1], [0, 2], [1, 2]] : number > 1 ? [[0, 1]] : [];
  for (const [baseline, other] of pairs) differences.push(differenceOf(prompts, baseline, other));
  for (const [baseline, other] of pairs.filter(([first]) => first === 0)) {
    for (const { category } of variants[0].categories) differences.push(differenceOf(prompts, baseline, other, category));
  }
  const few = count < 20;
  const gain = differences[0] ? (differences[0].difference.value * 100).toFixed(0) : "0";
  return {
    format: "punie-report", version: 1, title: "Home tools: does fine-tuning help?",
    verdict: few ? `Too few prompts to tell: ${count} were asked, at least 20 are needed for a claim.`
      : `The tuned model is better than its base by ${gain} points (p < 0.001); the 4-bit form ${differences[2]?.claim === "worse" ? "loses some of that" : "shows no loss that this suite could see"}.`,
    tone: few ? "unsure" : "good", created: "2026-11-24 09:31 UTC", run: "experiment-51c09fe2", punie_version: "0.1.0", suite: "home-tools",
    notes: [
      ...(variants.some((one) => one.counts.failed > 0) ? [{ severity: "warning", text: `${variants.reduce((sum, one) => sum + one.counts.failed, 0)} samples have no answer: the server failed. They are not counted as wrong.` }] : []),
      { severity: "note", text: "The server answers the same prompt the same way twice at temperature 0 (5 probes)." },
    ],
    variants, differences, trainings: number > 1 ? [trainingOf(400, chance)] : [], prompts,
    data: [{ name: "training rows", value: "242" }, { name: "validation rows", value: "30" }, { name: "trained tokens", value: "8,913 (44.1 % of all)" }],
    findings: [
      { code: "D203", severity: "error", file: "train.jsonl", line: 17, message: "row 17 is also in test.jsonl, line 4", why: "The model sees the question that it is examined with, so the score says nothing." },
      { code: "D114", severity: "warning", file: "train.jsonl", line: 58, message: `"I'll do that." stands before the call in 118 of 242 rows`, why: "Half of the rows teach a preamble, half teach none: the model will guess." },
      { code: "D301", severity: "note", file: "valid.jsonl", line: 0, message: "30 rows; loss over so few rows jumps by about 0.05", why: "The best checkpoint is then chosen by chance." },
    ],
    environment: [{ name: "machine", value: "x86_64, 2 cores, 24 GB" }, { name: "system", value: "Debian 12" }, { name: "mlx_lm", value: "0.32.2" }, { name: "python", value: "3.11.2" }],
    commands: [{ what: "the experiment", text: "punie run examples/quickstart/experiment.yaml" }, { what: "evaluate tuned", text: "punie eval suites/home.yaml --model models/smollm2 --adapter adapters/tuned --temperature 0" }],
  };
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  const [file, prompts = "60", variants = "3"] = process.argv.slice(2);
  writeFileSync(file, JSON.stringify(makeReport({ prompts: Number(prompts), variants: Number(variants) })));
}
