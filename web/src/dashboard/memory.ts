// Memory since the page was opened, ten minutes at most: an area a model, stacked, under the line of
// the budget.
import { h, section } from "../dom";
import { bytes } from "../format";
import { say } from "./keyed";
import type { Ps } from "./types";

const svg = "http://www.w3.org/2000/svg";
const longest = 10 * 60_000;
const shortest = 60_000;
const width = 600;
const height = 120;
const tones = 6;

interface Point {
  time: number;
  of: Map<string, number>;
}

function shape(name: string, attributes: Record<string, string>): SVGElement {
  const element = document.createElementNS(svg, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  return element;
}

export class Memory {
  readonly element: HTMLElement;
  private readonly points: Point[] = [];
  private readonly areas = shape("g", {});
  private readonly line = shape("line", { class: "budget", x1: "0", x2: String(width) });
  private readonly picture = shape("svg", { viewBox: `0 0 ${width} ${height}`, preserveAspectRatio: "none", role: "img", "aria-labelledby": "memory-words" });
  private readonly words = h("p", { id: "memory-words", class: "hint" });
  private readonly legend = h("ul", { class: "legend" });
  private readonly from = h("span", { class: "from" });
  private readonly most = h("span", { class: "most" });
  private readonly tone = new Map<string, number>();

  constructor() {
    this.picture.append(this.areas, this.line);
    this.element = section("memory", "Memory", this.words,
      h("div", { class: "plot" }, this.most, this.picture as unknown as HTMLElement,
        this.from, h("span", { class: "to" }, "now")), this.legend);
  }

  show(ps: Ps): void {
    const time = Date.parse(ps.now);
    const last = this.points.at(-1);
    if (last && time - last.time < 900) this.points.pop();
    this.points.push({ time, of: new Map(ps.models.filter((model) => model.memory > 0).map((model) => [model.name, model.memory])) });
    while (this.points[0] && time - this.points[0].time > longest) this.points.shift();
    this.draw(ps, time);
  }

  private draw(ps: Ps, now: number): void {
    const names = [...new Set(this.points.flatMap((point) => [...point.of.keys()]))].sort();
    for (const name of names) if (!this.tone.has(name)) this.tone.set(name, this.tone.size % tones);
    const sums = this.points.map((point) => [...point.of.values()].reduce((a, b) => a + b, 0));
    const most = Math.max(ps.memory.budget, ...sums) * 1.05 || 1;
    const span = Math.max(shortest, now - (this.points[0]?.time ?? now));
    const x = (time: number) => width * (1 - (now - time) / span);
    const y = (value: number) => height * (1 - value / most);
    const base = this.points.map(() => 0);
    const paths = names.map((name) => {
      const under = base.map((value, i) => `${x(this.points[i]?.time ?? now).toFixed(1)},${y(value).toFixed(1)}`).reverse();
      this.points.forEach((point, i) => { base[i] = (base[i] ?? 0) + (point.of.get(name) ?? 0); });
      const over = base.map((value, i) => `${x(this.points[i]?.time ?? now).toFixed(1)},${y(value).toFixed(1)}`);
      return shape("path", { d: `M${over.join("L")}L${under.join("L")}Z`, "data-tone": String(this.tone.get(name)) });
    });
    this.areas.replaceChildren(...paths);
    const level = y(ps.memory.budget).toFixed(1);
    this.line.setAttribute("y1", level);
    this.line.setAttribute("y2", level);
    const loaded = ps.models.filter((model) => model.memory > 0);
    say(this.words, `${bytes(ps.memory.used)} of ${bytes(ps.memory.budget)} are used` +
      (loaded.length > 0 ? `: ${loaded.map((model) => `${model.name} ${bytes(model.memory)}`).join(", ")}.` : ", no model is loaded."));
    say(this.most, `budget ${bytes(ps.memory.budget)}`);
    say(this.from, span < 90_000 ? `${Math.round(span / 1000)} seconds ago` : `${Math.round(span / 60_000)} minutes ago`);
    if (this.legend.dataset["names"] !== names.join("\n")) {
      this.legend.dataset["names"] = names.join("\n");
      this.legend.replaceChildren(...names.map((name) => h("li", { "data-tone": this.tone.get(name) }, name)));
    }
  }
}
