import { h, section } from "../dom";
import { Keyed } from "./keyed";
import type { Happening } from "./types";

const kept = 200;

export class Events {
  readonly element: HTMLElement;
  private readonly list = h("ol", { class: "events", tabindex: 0, role: "list", "aria-label": "Events, newest first" });
  private readonly none = h("p", { class: "hint" }, "Nothing has happened yet.");
  private all: Happening[] = [];
  private readonly keyed = new Keyed<Happening>(this.list, (one) => String(one.number), (one) => {
    const element = h("li", { "data-state": one.state ?? "" },
      h("time", { datetime: one.time }, new Date(one.time).toLocaleTimeString([], { hour12: false })),
      h("span", { class: "state" }, one.state ?? one.what), h("span", { class: "what" }, one.model ? `${one.model}: ` : "", one.text));
    return { element, update: () => undefined };
  });

  constructor() {
    this.element = section("events", "Events", this.none, this.list);
  }

  clear(): void {
    this.all = [];
  }

  show(fresh: Happening[]): void {
    this.all = [...fresh.slice().reverse(), ...this.all].slice(0, kept);
    this.none.hidden = this.all.length > 0;
    this.list.hidden = this.all.length === 0;
    this.keyed.show(this.all);
  }

  /** What a screen reader should hear: states that a person waits for. */
  static heard(fresh: Happening[]): string {
    return fresh.filter((one) => one.state === "ready" || one.state === "failed")
      .map((one) => `${one.model ?? ""} is ${one.state}`).join(", ");
  }
}
