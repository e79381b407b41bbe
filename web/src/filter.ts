// Which prompts are shown. Pure but for the texts that a search must look into.
import type { Data, PromptRow, Sample } from "./data";
import { scored } from "./data";

export interface Filter {
  text: string;
  category: string | null;
  group: string | null;
  /** Whose samples the outcome is asked of; null: any. */
  variant: number | null;
  outcome: string;
  /** "won:0:1": won by variant 1 against variant 0. */
  change: string;
}

export const everything: Filter = { text: "", category: null, group: null, variant: null, outcome: "", change: "" };

export const outcomes: [string, string][] = [
  ["", "any outcome"], ["passed", "passed"], ["wrong", "not passed"], ["unparsed", "nothing to judge"],
  ["cut", "cut"], ["unanswered", "without an answer"], ["flickers", "passed and failed in repeats"],
];

function has(outcome: string, samples: Sample[]): boolean {
  switch (outcome) {
    case "passed": return samples.some((s) => scored(s) && s.passed);
    case "wrong": return samples.some((s) => scored(s) && !s.passed);
    case "unparsed": return samples.some((s) => s.unparsed);
    case "cut": return samples.some((s) => s.state === 1);
    case "unanswered": return samples.some((s) => !scored(s));
    default: return true;
  }
}

function flickers(row: PromptRow, variant: number | null): boolean {
  const seen = new Map<number, Set<boolean>>();
  for (const sample of row.samples) {
    if (!scored(sample) || (variant !== null && sample.variant !== variant)) continue;
    const set = seen.get(sample.variant) ?? new Set();
    seen.set(sample.variant, set.add(sample.passed));
  }
  return [...seen.values()].some((set) => set.size === 2);
}

/** 1: `other` scored higher than `baseline` on this prompt, -1 lower, 0 same or unknown. */
export function change(row: PromptRow, baseline: number, other: number): number {
  const before = row.means[baseline];
  const after = row.means[other];
  if (before === undefined || after === undefined) return 0;
  return Math.sign(after - before);
}

function changed(row: PromptRow, wanted: string): boolean {
  const [how, baseline, other] = wanted.split(":");
  const sign = change(row, Number(baseline), Number(other));
  if (how === "changed") return sign !== 0;
  return how === "won" ? sign > 0 : sign < 0;
}

export function matches(data: Data, row: PromptRow, filter: Filter, words: string[]): boolean {
  if (filter.category !== null && row.category !== filter.category) return false;
  if (filter.group !== null && row.group !== filter.group) return false;
  if (filter.change && !changed(row, filter.change)) return false;
  if (filter.outcome === "flickers") {
    if (!flickers(row, filter.variant)) return false;
  } else {
    const samples = filter.variant === null ? row.samples : row.samples.filter((s) => s.variant === filter.variant);
    if (filter.outcome && !has(filter.outcome, samples)) return false;
    if (filter.variant !== null && samples.length === 0) return false;
  }
  if (words.length === 0) return true;
  const haystack = data.haystack(row.at);
  return words.every((word) => haystack.includes(word));
}

export const wordsOf = (text: string) => text.toLowerCase().split(/\s+/).filter((word) => word !== "");

/** All rows that match; the first search parses every block, so it lets the page breathe. */
export async function select(data: Data, filter: Filter, stopped: () => boolean): Promise<PromptRow[] | null> {
  const words = wordsOf(filter.text);
  const found: PromptRow[] = [];
  let slice = performance.now();
  for (const row of data.rows) {
    if (matches(data, row, filter, words)) found.push(row);
    if (performance.now() - slice < 12) continue;
    await new Promise((resolve) => setTimeout(resolve));
    if (stopped()) return null;
    slice = performance.now();
  }
  return found;
}
