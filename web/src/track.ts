// A value with its interval on a line: the error bars of the page. Beside it the figures stand as
// text, so a screen reader is not told of it.
import { h } from "./dom";
import type { Estimate } from "./types";

/** The range that a line stands for. */
export interface Scale { from: number; to: number; marks: { at: number; label: string }[] }

export const shares: Scale = {
  from: 0, to: 1, marks: [0, 0.25, 0.5, 0.75, 1].map((at) => ({ at, label: `${at * 100}` })),
};

/** Around zero, wide enough for all, in round steps of points. */
export function aroundZero(estimates: readonly Estimate[]): Scale {
  const most = Math.max(0.05, ...estimates.flatMap((e) => [e.value, e.low ?? 0, e.high ?? 0]).map(Math.abs));
  const step = [0.05, 0.1, 0.25, 0.5].find((size) => size * 2 >= most) ?? 0.5;
  const to = Math.min(1, Math.ceil(most / step - 1e-9) * step);
  const label = (at: number) => (at > 0 ? `+${Math.round(at * 100)}` : `${Math.round(at * 100)}`.replace("-", "\u2212"));
  return { from: -to, to, marks: [-to, -to / 2, 0, to / 2, to].map((at) => ({ at, label: label(at) })) };
}

const place = (scale: Scale, value: number) =>
  `${(100 * (Math.min(Math.max(value, scale.from), scale.to) - scale.from)) / (scale.to - scale.from)}%`;

export function track(scale: Scale, estimate: Estimate, tone = ""): HTMLElement {
  const line = h("div", { class: "track", "aria-hidden": "true", "data-tone": tone });
  for (const mark of scale.marks) {
    const tick = h("i", { class: mark.at === 0 && scale.from < 0 ? "tick zero" : "tick" });
    tick.style.left = place(scale, mark.at);
    line.append(tick);
  }
  if (estimate.low !== undefined && estimate.high !== undefined) {
    const bar = h("i", { class: "bar" });
    bar.style.left = place(scale, estimate.low);
    bar.style.right = `calc(100% - ${place(scale, estimate.high)})`;
    line.append(bar);
  }
  const dot = h("i", { class: "dot" });
  dot.style.left = place(scale, estimate.value);
  line.append(dot);
  return line;
}

/** The labels of the marks, once under or over the lines. */
export function axis(scale: Scale): HTMLElement {
  const line = h("div", { class: "axis", "aria-hidden": "true" });
  for (const mark of scale.marks) {
    const label = h("span", {}, mark.label);
    label.style.left = place(scale, mark.at);
    line.append(label);
  }
  return line;
}
