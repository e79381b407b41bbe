// Every prompt: search and filters, the list, and beside it the prompt that was chosen.
import type { Data, PromptRow } from "./data";
import { append, h, section } from "./dom";
import { detail } from "./detail";
import type { Filter } from "./filter";
import { change, everything, outcomes, select } from "./filter";
import { count, counted } from "./format";
import { badge, outcomeOf, PromptList } from "./list";

const mostPrinted = 300;
const hashPrefix = "#prompt=";

export const promptLink = (row: PromptRow) => hashPrefix + encodeURIComponent(row.id);

function menu(id: string, label: string, options: [string, string][]): HTMLSelectElement {
  return h("select", { id, "aria-label": label }, options.map(([value, text]) => h("option", { value }, text)));
}

function choices(values: readonly string[], any: string): [string, string][] {
  return [["", any], ...values.map((value, at): [string, string] => [`${at + 1}`, value || "(none)"])];
}

export class Prompts {
  readonly element: HTMLElement;
  private readonly list: PromptList;
  private readonly search = h("input", {
    id: "search", type: "search", placeholder: "Search prompts, answers and reasons", autocomplete: "off",
    spellcheck: "false", "aria-label": "Search prompts, answers and reasons",
  });
  private readonly menus: Record<"category" | "group" | "variant" | "outcome" | "change", HTMLSelectElement>;
  private readonly status = h("p", { class: "status", role: "status" });
  private readonly pane = h("div", { class: "detail", id: "detail", role: "region", "aria-label": "Chosen prompt" });
  private readonly printed = h("div", { class: "only-print" });
  private shown: PromptRow[];
  private turn = 0;

  constructor(private readonly data: Data) {
    this.shown = data.rows;
    this.list = new PromptList(data);
    this.list.onChoose = (row) => this.open(row);
    this.list.onOpen = () => this.reveal();
    this.menus = this.makeMenus();
    this.element = section("prompts", "Prompts",
      h("div", { class: "filters", role: "search" }, this.search, ...Object.values(this.menus).filter((m) => m.options.length > 1),
        this.resetButton()),
      h("div", { class: "above-list" }, this.status, this.legend()), h("div", { class: "master" }, this.list.element, this.pane), this.printed);
    this.search.addEventListener("input", () => void this.refresh());
    for (const one of Object.values(this.menus)) one.addEventListener("change", () => void this.refresh());
    this.search.addEventListener("keydown", (event) => this.onSearchKey(event));
    this.hint();
  }

  start(): void {
    this.list.show(this.data.rows);
    this.tell();
    window.addEventListener("hashchange", () => void this.followHash());
    void this.followHash();
    document.addEventListener("keydown", (event) => this.onKey(event));
    window.addEventListener("beforeprint", () => this.printTable());
  }

  /** Shows the prompts that changed between two variants, as the links of that section do. */
  async showChange(how: string): Promise<void> {
    this.reset();
    this.menus.change.value = how;
    await this.refresh();
    this.element.scrollIntoView();
    this.list.element.focus({ preventScroll: true });
  }

  private makeMenus() {
    const index = this.data.head.index;
    const variants = this.data.head.variants ?? [];
    const groups = index.groups.length > 1 && index.groups.length <= 500 ? index.groups : [];
    const named = variants.map((v) => v.name);
    return {
      category: menu("by-category", "Category", index.categories.length > 1 ? choices(index.categories, "any category") : [["", ""]]),
      group: menu("by-group", "Group", groups.length > 0 ? choices(groups, "any group") : [["", ""]]),
      variant: menu("by-variant", "Variant", named.length > 1 ? choices(named, "any variant") : [["", ""]]),
      outcome: menu("by-outcome", "Outcome", outcomes),
      change: menu("by-change", "Changed between variants", this.changes()),
    };
  }

  private changes(): [string, string][] {
    const options: [string, string][] = [["", "changed or not"]];
    for (const { baseline, other } of pairs(this.data)) {
      const against = `${this.data.variantName(other)} against ${this.data.variantName(baseline)}`;
      options.push([`won:${baseline}:${other}`, `won: ${against}`], [`lost:${baseline}:${other}`, `lost: ${against}`]);
    }
    return options;
  }

  /** Which of a row's marks is whose. */
  private legend(): HTMLElement | null {
    const names = (this.data.head.variants ?? []).map((v) => v.name);
    return names.length > 1 ? h("p", { class: "hint" }, `Marks from left to right: ${names.join(", ")}`) : null;
  }

  private resetButton(): HTMLElement {
    const button = h("button", { type: "button" }, "Show all");
    button.addEventListener("click", () => {
      this.reset();
      void this.refresh();
    });
    return button;
  }

  private reset(): void {
    this.search.value = "";
    for (const one of Object.values(this.menus)) one.value = "";
  }

  private filter(): Filter {
    const index = this.data.head.index;
    const number = (one: HTMLSelectElement) => (one.value === "" ? null : Number(one.value) - 1);
    const category = number(this.menus.category);
    const group = number(this.menus.group);
    return {
      ...everything, text: this.search.value,
      category: category === null ? null : index.categories[category] ?? null,
      group: group === null ? null : index.groups[group] ?? null,
      variant: number(this.menus.variant), outcome: this.menus.outcome.value, change: this.menus.change.value,
    };
  }

  private async refresh(): Promise<void> {
    const turn = ++this.turn;
    const rows = await select(this.data, this.filter(), () => turn !== this.turn);
    if (!rows || turn !== this.turn) return;
    this.shown = rows;
    this.list.show(rows);
    this.tell();
  }

  private tell(): void {
    const all = this.data.rows.length;
    this.status.textContent = this.shown.length === all ? counted(all, "prompt")
      : this.shown.length === 0 ? `No prompt of ${count(all)} fits.`
        : `${count(this.shown.length)} of ${counted(all, "prompt")}`;
  }

  private hint(): void {
    this.pane.replaceChildren(h("p", { class: "hint" },
      "Choose a prompt to see what was asked, what each variant answered, and why it was judged so."));
  }

  private open(row: PromptRow): void {
    const back = h("button", { type: "button", class: "back" }, "Back to the list");
    back.addEventListener("click", () => {
      this.list.element.focus({ preventScroll: true });
      this.element.scrollIntoView();
    });
    this.pane.replaceChildren(back, detail(this.data, row));
    this.pane.scrollTop = 0;
    history.replaceState(null, "", promptLink(row));
  }

  /** Enter or a click: on a narrow page the answer stands under the list, so go there. */
  private reveal(): void {
    if (!window.matchMedia("(max-width: 60rem)").matches) return;
    this.pane.scrollIntoView();
    this.pane.querySelector<HTMLElement>("#detail-title")?.focus({ preventScroll: true });
  }

  private async followHash(): Promise<void> {
    if (!location.hash.startsWith(hashPrefix)) return;
    const id = decodeURIComponent(location.hash.slice(hashPrefix.length));
    const row = this.data.rows.find((one) => one.id === id);
    if (!row) return;
    if (!this.shown.includes(row)) {
      this.reset();
      await this.refresh();
    }
    this.list.choose(row);
    this.element.scrollIntoView();
    this.reveal();
  }

  private onSearchKey(event: KeyboardEvent): void {
    if (event.key === "ArrowDown" || event.key === "Enter") {
      event.preventDefault();
      this.list.element.focus();
    }
  }

  private onKey(event: KeyboardEvent): void {
    const typing = event.target instanceof HTMLInputElement || event.target instanceof HTMLSelectElement;
    if (event.key !== "/" || typing || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    this.search.focus();
    this.search.select();
  }

  /** On paper the shown prompts are a plain table. */
  private printTable(): void {
    const variants = this.data.head.variants ?? [];
    const rows = this.shown.slice(0, mostPrinted);
    const table = h("table", { class: "numbers" },
      h("thead", {}, h("tr", {}, h("th", { scope: "col" }, "prompt"), variants.map((v) => h("th", { scope: "col" }, v.name)),
        h("th", { scope: "col" }, "asked"))),
      h("tbody", {}, rows.map((row) => h("tr", {}, h("th", { scope: "row" }, row.id),
        variants.map((v, at) => h("td", {}, badge(outcomeOf(row, at), v.name))), h("td", {}, row.excerpt)))));
    const left = this.shown.length - rows.length;
    this.printed.replaceChildren(table);
    append(this.printed, [left > 0 && h("p", {}, `${counted(left, "more prompt")}: filter before printing, or see the JSON or CSV form.`)]);
  }
}

/** The pairs of variants that the report compares. */
export function pairs(data: Data): { baseline: number; other: number }[] {
  return (data.head.differences ?? []).filter((d) => !d.category).map(({ baseline, other }) => ({ baseline, other }));
}

const mostChanged = 5;

function answerOf(data: Data, row: PromptRow, variant: number): HTMLElement {
  const texts = data.texts(row.at);
  const at = row.samples.findIndex((s) => s.variant === variant && s.state <= 1);
  const sample = texts.samples[at];
  const calls = (sample?.calls ?? []).map((call) => `${call.name ?? ""}(${call.arguments ?? ""})`).join("\n");
  const answer = [calls, sample?.text ?? ""].filter((text) => text !== "").join("\n");
  return h("td", {}, badge(outcomeOf(row, variant), data.variantName(variant)),
    h("span", { class: "only-narrow", "aria-hidden": "true" }, data.variantName(variant)),
    h("code", { class: "clipped" }, answer || "(empty answer)"), sample?.reason ? h("small", {}, sample.reason) : null);
}

function changeTable(data: Data, rows: PromptRow[], pair: { baseline: number; other: number }, caption: string): HTMLElement {
  return h("table", { class: "changes" }, h("caption", { class: "only-heard" }, caption),
    h("thead", {}, h("tr", {}, h("th", { scope: "col" }, "prompt"),
      h("th", { scope: "col" }, data.variantName(pair.baseline)), h("th", { scope: "col" }, data.variantName(pair.other)))),
    h("tbody", {}, rows.slice(0, mostChanged).map((row) => h("tr", {},
      h("th", { scope: "row" }, h("a", { href: promptLink(row) }, row.id), h("small", {}, row.excerpt)),
      answerOf(data, row, pair.baseline), answerOf(data, row, pair.other)))));
}

/** What changed between two variants: lost prompts first, they are what a reader must see. */
export function changedSection(data: Data, prompts: Prompts): HTMLElement | null {
  const parts: HTMLElement[] = [];
  for (const pair of pairs(data)) {
    const name = `${data.variantName(pair.other)} against ${data.variantName(pair.baseline)}`;
    const signs: [string, number][] = [["lost", -1], ["won", 1]];
    const lists = signs.map(([how, sign]) => ({ how, rows: data.rows.filter((row) => change(row, pair.baseline, pair.other) === sign) }));
    if (lists.every((one) => one.rows.length === 0)) continue;
    parts.push(h("h3", {}, name));
    for (const { how, rows } of lists) {
      if (rows.length === 0) {
        parts.push(h("p", { class: "hint" }, `No prompt was ${how}.`));
        continue;
      }
      const caption = `${counted(rows.length, "prompt")} ${how}${rows.length > mostChanged ? `, the first ${mostChanged}` : ""}`;
      const details = h("details", how === "lost" || lists[0]!.rows.length === 0 ? { open: true } : {},
        h("summary", {}, caption), changeTable(data, rows, pair, caption));
      if (rows.length > mostChanged) {
        const button = h("button", { type: "button" }, `See all ${count(rows.length)} in the list`);
        button.addEventListener("click", () => void prompts.showChange(`${how}:${pair.baseline}:${pair.other}`));
        details.append(button);
      }
      parts.push(details);
    }
  }
  return parts.length > 0 ? section("changed", "What changed", ...parts) : null;
}
