// The data blocks of the page. The head is parsed at once, the requests and answers of a hundred
// prompts when one of them is wanted.
import { byId } from "./dom";
import type { Block, Expectation, Head, SampleTexts } from "./types";

export const stateNames = ["answered", "cut", "refused", "failed", "not asked"] as const;

/** One answer: the figures that the list shows. */
export interface Sample {
  variant: number; number: number; state: number; score: number;
  passed: boolean; unparsed: boolean; seconds: number; tokens: number;
}
export interface PromptRow {
  at: number; id: string; excerpt: string; group: string; category: string; samples: Sample[];
  /** Mean score by variant; undefined where nothing was scored. */
  means: (number | undefined)[];
}
export interface PromptTexts { messages: unknown[]; tools: unknown[]; expectations: Expectation[]; samples: SampleTexts[] }

export const scored = (sample: Sample) => sample.state <= 1;

export class Data {
  readonly head: Head;
  readonly rows: PromptRow[] = [];
  private readonly blocks = new Map<number, Block>();
  private readonly haystacks = new Map<number, string>();

  constructor() {
    this.head = JSON.parse(byId("punie-head").textContent ?? "") as Head;
    this.readRows();
  }

  private readRows(): void {
    const index = this.head.index;
    const variants = this.head.variants?.length ?? 0;
    let next = 0;
    for (let at = 0; at < index.ids.length; ++at) {
      const samples: Sample[] = [];
      const sums = new Array<number>(variants).fill(0);
      const counts = new Array<number>(variants).fill(0);
      for (const end = next + index.samples[at]!; next < end; ++next) {
        const flags = index.flags[next]!;
        const sample: Sample = {
          variant: index.variant[next]!, number: index.number[next]!, state: index.state[next]!,
          score: index.score[next]!, passed: (flags & 1) !== 0, unparsed: (flags & 2) !== 0,
          seconds: index.seconds[next]!, tokens: index.tokens[next]!,
        };
        samples.push(sample);
        if (!scored(sample)) continue;
        sums[sample.variant]! += sample.score;
        counts[sample.variant]! += 1;
      }
      this.rows.push({
        at, samples, id: index.ids[at]!, excerpt: index.excerpts[at]!,
        group: index.groups[index.group[at]!]!, category: index.categories[index.category[at]!]!,
        means: sums.map((sum, variant) => (counts[variant]! > 0 ? sum / counts[variant]! : undefined)),
      });
    }
  }

  variantName(at: number): string {
    return this.head.variants?.[at]?.name ?? "";
  }

  texts(at: number): PromptTexts {
    const size = this.head.block_prompts;
    const number = Math.floor(at / size);
    let block = this.blocks.get(number);
    if (!block) {
      block = JSON.parse(byId(`punie-block-${number}`).textContent ?? "") as Block;
      this.blocks.set(number, block);
    }
    const prompt = block.prompts[at % size]!;
    return {
      messages: prompt.messages.map((index) => block.messages[index]),
      tools: block.tools[prompt.tools] ?? [],
      expectations: prompt.expectations,
      samples: prompt.samples,
    };
  }

  /** All words of a prompt, its answers and its verdicts, in lower case. */
  haystack(at: number): string {
    let text = this.haystacks.get(at);
    if (text === undefined) {
      const row = this.rows[at]!;
      const words = [row.id, row.group, row.category];
      collect(this.texts(at), words);
      text = words.join("\n").toLowerCase();
      this.haystacks.set(at, text);
    }
    return text;
  }
}

function collect(value: unknown, into: string[]): void {
  if (typeof value === "string") into.push(value);
  else if (Array.isArray(value)) for (const one of value) collect(one, into);
  else if (value !== null && typeof value === "object") for (const one of Object.values(value)) collect(one, into);
}
