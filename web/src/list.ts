// The list of prompts: only the rows in view exist, 10,000 cost what 20 do. A listbox: arrows move,
// the chosen row is told to screen readers with its place among all.
import { h } from "./dom";
import type { Data, PromptRow } from "./data";
import { scored } from "./data";

const spare = 6;

export type Outcome = "passed" | "wrong" | "partly" | "none" | "unasked";

const glyphs: Record<Outcome, string> = { passed: "\u2713", wrong: "\u2717", partly: "\u00bd", none: "!", unasked: "\u2013" };
const outcomeWords: Record<Outcome, string> = {
  passed: "passed", wrong: "not passed", partly: "passed sometimes", none: "no answer", unasked: "not asked",
};

export function outcomeOf(row: PromptRow, variant: number): Outcome {
  const all = row.samples.filter((s) => s.variant === variant);
  const judged = all.filter(scored);
  if (judged.length === 0) return all.some((s) => s.state !== 4) ? "none" : "unasked";
  const passed = judged.filter((s) => s.passed).length;
  if (passed === judged.length) return "passed";
  return passed === 0 ? "wrong" : "partly";
}

export function badge(outcome: Outcome, label: string): HTMLElement {
  return h("span", { class: "badge", "data-outcome": outcome, title: `${label}: ${outcomeWords[outcome]}` },
    h("span", { "aria-hidden": "true" }, glyphs[outcome]),
    h("span", { class: "only-heard" }, `${label} ${outcomeWords[outcome]}, `));
}

export class PromptList {
  readonly element: HTMLElement;
  onChoose: (row: PromptRow) => void = () => undefined;
  onOpen: () => void = () => undefined;
  private rows: PromptRow[] = [];
  private chosen = -1;
  private readonly inner = h("div", { class: "rows", role: "presentation" });
  private readonly made = new Map<number, HTMLElement>();
  private height = 56;

  constructor(private readonly data: Data) {
    this.element = h("div", {
      class: "prompt-list", role: "listbox", tabindex: 0, id: "prompt-list", "aria-label": "Prompts",
    }, this.inner);
    this.element.addEventListener("scroll", () => this.paint(), { passive: true });
    this.element.addEventListener("keydown", (event) => this.onKey(event));
    new ResizeObserver(() => this.paint()).observe(this.element);
  }

  get current(): PromptRow | undefined { return this.rows[this.chosen]; }

  show(rows: PromptRow[]): void {
    const kept = this.current;
    this.rows = rows;
    this.chosen = kept ? rows.indexOf(kept) : -1;
    for (const element of this.made.values()) element.remove();
    this.made.clear();
    const root = getComputedStyle(document.documentElement);
    this.height = parseFloat(root.getPropertyValue("--row")) * parseFloat(root.fontSize) || this.height;  // --row is in rem
    this.inner.style.height = `${rows.length * this.height}px`;
    this.element.scrollTop = this.chosen >= 0 ? (this.chosen - 2) * this.height : 0;
    this.paint();
  }

  /** Chooses a row of those shown; false if it is not among them. */
  choose(row: PromptRow): boolean {
    const at = this.rows.indexOf(row);
    if (at >= 0) this.move(at);
    return at >= 0;
  }

  private move(to: number): void {
    const at = Math.min(Math.max(to, 0), this.rows.length - 1);
    if (at < 0) return;
    const top = at * this.height;
    const view = this.element;
    if (top < view.scrollTop) view.scrollTop = top;
    else if (top + this.height > view.scrollTop + view.clientHeight) view.scrollTop = top + this.height - view.clientHeight;
    const changed = at !== this.chosen;
    this.chosen = at;
    this.paint();
    if (changed) this.onChoose(this.rows[at]!);
  }

  private onKey(event: KeyboardEvent): void {
    const page = Math.max(1, Math.floor(this.element.clientHeight / this.height) - 1);
    const steps: Record<string, number> = {
      ArrowDown: this.chosen + 1, ArrowUp: this.chosen - 1, PageDown: this.chosen + page, PageUp: this.chosen - page,
      Home: 0, End: this.rows.length - 1,
    };
    const to = steps[event.key];
    if (to !== undefined && !event.ctrlKey && !event.metaKey && !event.altKey) this.move(to);
    else if (event.key === "Enter" || event.key === " ") {
      if (this.chosen < 0) this.move(0);
      this.onOpen();
    } else return;
    event.preventDefault();
  }

  private paint(): void {
    const first = Math.max(0, Math.floor(this.element.scrollTop / this.height) - spare);
    const last = Math.min(this.rows.length, Math.ceil((this.element.scrollTop + this.element.clientHeight) / this.height) + spare);
    for (const [at, element] of this.made) {
      if ((at >= first && at < last) || at === this.chosen) continue;
      element.remove();
      this.made.delete(at);
    }
    for (let at = first; at < last; ++at) this.ensure(at);
    if (this.chosen >= 0) this.ensure(this.chosen);
    for (const [at, element] of this.made) element.setAttribute("aria-selected", String(at === this.chosen));
    const active = this.made.get(this.chosen);
    if (active) this.element.setAttribute("aria-activedescendant", active.id);
    else this.element.removeAttribute("aria-activedescendant");
  }

  private ensure(at: number): void {
    const row = this.rows[at];
    if (!row || this.made.has(at)) return;
    const element = this.option(row, at);
    element.style.top = `${at * this.height}px`;
    this.made.set(at, element);
    this.inner.append(element);
  }

  private option(row: PromptRow, at: number): HTMLElement {
    const variants = this.data.head.variants ?? [];
    const element = h("div", {
      class: "prompt-row", role: "option", id: `row-${row.at}`, "aria-setsize": this.rows.length, "aria-posinset": at + 1,
    },
      h("span", { class: "badges" }, variants.map((v, variant) => badge(outcomeOf(row, variant), v.name))),
      h("span", { class: "prompt-id" }, row.id),
      h("span", { class: "excerpt" }, row.excerpt));
    element.addEventListener("click", () => {
      this.element.focus({ preventScroll: true });
      this.move(at);
      this.onOpen();
    });
    return element;
  }
}
