// The curves of trainings: loss, and memory with speed. uPlot draws on a canvas; the same points
// stand in a table for those who cannot see it.
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { facts, h, lazyDetails, scrolling, section } from "./dom";
import { counted, duration } from "./format";
import type { CurvePoint, Head, Training } from "./types";

interface Line { label: string; colour: string; scale: string; unit: string; dash?: number[]; of: (point: CurvePoint) => number | null | undefined }

const loss: Line[] = [
  { label: "training loss", colour: "--line-1", scale: "y", unit: "", of: (p) => p.train_loss },
  { label: "validation loss", colour: "--line-2", scale: "y", unit: "", of: (p) => p.valid_loss },
];
const machine: Line[] = [
  { label: "peak memory", colour: "--line-1", scale: "y", unit: "GB", of: (p) => p.memory_gb },
  { label: "tokens/s", colour: "--line-2", scale: "speed", unit: "tokens/s", dash: [6, 4], of: (p) => p.tokens_per_second },
];

const colour = (name: string) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const shown = (value: number) => (Math.abs(value) >= 100 ? value.toFixed(0) : value.toPrecision(4));

/** A line that hardly moves must look so. */
const fromZero: uPlot.Scale.Range = (_plot, low, high) => [Math.min(0, low ?? 0), Math.max(high ?? 1, 1e-6) * 1.08];

class Chart {
  readonly element: HTMLElement;
  private plot: uPlot | null = null;
  private readonly lines: Line[];

  constructor(title: string, lines: Line[], private readonly points: CurvePoint[], private readonly best?: number) {
    this.lines = lines.filter((line) => points.some((point) => typeof line.of(point) === "number"));
    this.element = h("figure", { class: "curve" }, h("figcaption", {}, title), h("div", { class: "plot" }));
  }

  get empty(): boolean { return this.lines.length === 0; }

  draw(): void {
    const host = this.element.querySelector<HTMLElement>(".plot")!;
    this.plot?.destroy();
    const width = Math.max(220, host.clientWidth);
    const text = colour("--muted");
    const axis = (side: number, scale: string, label: string, grid: boolean): uPlot.Axis => ({
      scale, side, label, stroke: text, labelSize: 18, size: side === 2 ? 34 : 52, labelFont: "12px system-ui, sans-serif",
      font: "12px system-ui, sans-serif", grid: { show: grid, stroke: colour("--rule"), width: 1 }, ticks: { show: false },
    });
    const axes = [axis(2, "x", "iteration", false)];
    for (const scale of new Set(this.lines.map((line) => line.scale))) {
      const unit = this.lines.filter((line) => line.scale === scale).map((line) => line.unit)[0] ?? "";
      axes.push(axis(scale === "y" ? 3 : 1, scale, unit, axes.length === 1));
    }
    this.plot = new uPlot({
      width, height: 230, axes,
      scales: { x: { time: false }, y: { range: fromZero }, speed: { range: fromZero } },
      cursor: { drag: { x: true, y: false } },
      series: [
        { label: "iteration" },
        ...this.lines.map((line): uPlot.Series => ({
          label: line.label, scale: line.scale, stroke: colour(line.colour), width: 2, spanGaps: true,
          ...(line.dash ? { dash: line.dash } : {}),
          points: { show: this.points.filter((p) => typeof line.of(p) === "number").length <= 15, size: 6 },
          value: (_plot, value) => (value === null ? "\u2013" : shown(value)),
        })),
      ],
      hooks: { draw: [(plot) => this.markBest(plot)] },
    }, this.columns(), host);
  }

  /** A vertical line at the best validation loss. */
  private markBest(plot: uPlot): void {
    if (this.best === undefined) return;
    const x = Math.round(plot.valToPos(this.best, "x", true));
    const context = plot.ctx;
    context.save();
    context.strokeStyle = colour("--muted");
    context.setLineDash([3, 3]);
    context.beginPath();
    context.moveTo(x, plot.bbox.top);
    context.lineTo(x, plot.bbox.top + plot.bbox.height);
    context.stroke();
    context.restore();
  }

  private columns(): uPlot.AlignedData {
    return [
      this.points.map((point) => point.iteration),
      ...this.lines.map((line) => this.points.map((point) => line.of(point) ?? null)),
    ] as uPlot.AlignedData;
  }
}

const mostRows = 200;

function pointsTable(training: Training): HTMLElement {
  const points = training.points ?? [];
  const every = Math.ceil(points.length / mostRows);
  const thinned = points.filter((p, at) => at % every === 0 || at === points.length - 1 || p.iteration === training.best_iteration);
  const cell = (value: number | null | undefined, places: number) =>
    h("td", {}, value === undefined ? "" : value === null ? "not a number" : value.toFixed(places));
  return scrolling(`Points of ${training.name}`, h("table", { class: "numbers" },
    h("thead", {}, h("tr", {}, ["iteration", "training loss", "validation loss", "peak memory (GB)", "tokens/s"]
      .map((name) => h("th", { scope: "col" }, name)))),
    h("tbody", {}, thinned.map((p) => h("tr", {}, h("th", { scope: "row" }, p.iteration),
      cell(p.train_loss, 4), cell(p.valid_loss, 4), cell(p.memory_gb, 3), cell(p.tokens_per_second, 1))))));
}

/** "Loss went from 2.31 to 0.42 ...": what a look at the curves tells. */
function sentence(training: Training): string {
  const points = training.points ?? [];
  const ends = (of: (point: CurvePoint) => number | null | undefined) => {
    const values = points.map(of).filter((value): value is number => typeof value === "number");
    return values.length > 0 ? `from ${values[0]!.toFixed(2)} to ${values.at(-1)!.toFixed(2)}` : "";
  };
  const parts = [];
  const last = points.at(-1)?.iteration ?? 0;
  const train = ends((p) => p.train_loss);
  const valid = ends((p) => p.valid_loss);
  if (train) parts.push(`training loss ${train}`);
  if (valid) parts.push(`validation loss ${valid}`);
  let text = `${counted(last, "iteration")}${training.seconds === undefined ? "" : ` in ${duration(training.seconds)}`}`;
  if (parts.length > 0) text += `: ${parts.join(", ")}`;
  text += ".";
  if (training.best_iteration !== undefined) text += ` Lowest validation loss at iteration ${training.best_iteration} (dotted).`;
  if (training.kept_iteration !== undefined) text += ` Kept: iteration ${training.kept_iteration}.`;
  return text;
}

function oneTraining(training: Training, charts: Chart[]): HTMLElement {
  const points = training.points ?? [];
  const mine = [
    new Chart("Loss", loss, points, training.best_iteration), new Chart("Memory and speed", machine, points),
  ].filter((chart) => !chart.empty);
  charts.push(...mine);
  return h("article", { class: "training" }, h("h3", {}, training.name), h("p", {}, sentence(training)),
    training.notes && h("ul", { class: "plain hint" }, training.notes.map((note) => h("li", {}, note))),
    h("div", { class: "curves" }, mine.map((chart) => chart.element)),
    lazyDetails("Settings and points", () => [facts(training.settings), pointsTable(training)]));
}

/** The section, and what draws its charts once it is in the page. */
export function trainingSection(head: Head): { element: HTMLElement; draw: () => void } | null {
  const trainings = head.trainings ?? [];
  if (trainings.length === 0) return null;
  const charts: Chart[] = [];
  const element = section("training", "Training", trainings.map((training) => oneTraining(training, charts)));
  const draw = () => charts.forEach((chart) => chart.draw());
  return { element, draw };
}
