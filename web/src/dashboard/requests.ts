import { h, scrolling, section } from "../dom";
import { counted, duration } from "../format";
import { Keyed, say, type Row } from "./keyed";
import type { Finished, Live } from "./types";

const kept = 200;

const clock = (time: string) => new Date(time).toLocaleTimeString([], { hour12: false });
const client = (one: { key?: string; peer: string }) => one.key ?? (one.peer || "socket");

function cells(names: string[]): { element: HTMLTableRowElement; cell: HTMLTableCellElement[] } {
  const cell = names.map((name) => h("td", { "data-name": name }));
  return { element: h("tr", {}, cell), cell };
}

function liveRow(): Row<Live> {
  const { element, cell } = cells(["model", "phase", "time", "events", "client", "id"]);
  return {
    element,
    update(one) {
      const texts = [one.model || one.route, one.phase, duration(one.seconds), one.tokens > 0 ? String(one.tokens) : "", client(one), one.id];
      texts.forEach((text, i) => cell[i] && say(cell[i], text));
    },
  };
}

const failed = (one: Finished) => one.status >= 400 || one.torn;

function outcome(one: Finished): string {
  if (one.status === 499) return "client left";
  return one.torn ? `${one.status}, torn` : String(one.status);
}

function finishedRow(first: Finished): Row<Finished> {
  const { element, cell } = cells(["when", "model", "status", "first", "total", "tokens", "client", "why"]);
  const texts = [
    clock(first.time), first.model || first.route, outcome(first),
    first.stream && first.first_byte_s !== undefined ? duration(first.first_byte_s) : "", duration(first.total_s),
    first.tokens_in + first.tokens_out > 0 ? `${first.tokens_in} + ${first.tokens_out}` : "", client(first),
    first.reason ?? first.error ?? "",
  ];
  texts.forEach((text, i) => cell[i] && say(cell[i], text));
  element.title = `${first.method} ${first.route} ${first.id}`;
  if (failed(first)) element.dataset["failed"] = "";
  return { element, update: () => undefined };
}

function head(names: string[]): HTMLElement {
  return h("thead", {}, h("tr", {}, names.map((name) => h("th", { scope: "col" }, name))));
}

export class Requests {
  readonly element: HTMLElement;
  private readonly liveBody = h("tbody", {});
  private readonly finishedBody = h("tbody", {});
  private readonly liveTable = h("table", { class: "requests live" }, h("caption", {}, "Running"),
    head(["Model", "Phase", "Time", "Events", "Client", "Id"]), this.liveBody);
  private readonly none = h("p", { class: "hint" }, "No request is running.");
  private readonly search = h("input", { type: "search", placeholder: "Search finished requests", "aria-label": "Search finished requests" });
  private readonly onlyFailed = h("input", { type: "checkbox" });
  private readonly count = h("p", { class: "status", role: "status" });
  private readonly live = new Keyed<Live>(this.liveBody, (one) => String(one.number), liveRow);
  private readonly finished = new Keyed<Finished>(this.finishedBody, (one) => String(one.number), finishedRow);
  private all: Finished[] = [];

  constructor() {
    this.search.addEventListener("input", () => this.filter());
    this.onlyFailed.addEventListener("change", () => this.filter());
    this.element = section("requests", "Requests", this.none, scrolling("Running requests", this.liveTable),
      h("div", { class: "filters" }, this.search, h("label", { class: "check" }, this.onlyFailed, "only failed"), this.count),
      scrolling("Finished requests", h("table", { class: "requests finished" }, h("caption", { class: "only-heard" }, "Finished, newest first"),
        head(["When", "Model", "Status", "First", "Total", "Tokens", "Client", "Why"]), this.finishedBody)));
  }

  clear(): void {
    this.all = [];
  }

  show(live: Live[], fresh: Finished[]): void {
    this.live.show(live);
    this.none.hidden = live.length > 0;
    this.liveTable.hidden = live.length === 0;
    if (fresh.length === 0 && this.all.length > 0) return;
    this.all = [...fresh.slice().reverse(), ...this.all].slice(0, kept);
    this.filter();
  }

  private filter(): void {
    const words = this.search.value.toLowerCase().split(/\s+/).filter(Boolean);
    const shown = this.all.filter((one) => {
      if (this.onlyFailed.checked && !failed(one)) return false;
      const text = `${one.model} ${one.route} ${one.status} ${client(one)} ${one.id} ${one.reason ?? ""} ${one.error ?? ""}`.toLowerCase();
      return words.every((word) => text.includes(word));
    });
    this.finished.show(shown);
    say(this.count, shown.length === this.all.length ? counted(shown.length, "finished request")
      : `${shown.length} of ${counted(this.all.length, "finished request")}`);
  }
}
