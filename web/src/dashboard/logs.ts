import { h, section } from "../dom";
import { counted } from "../format";
import { ask, lines, modelPath } from "./api";
import { say } from "./keyed";

const kept = 5_000;
const shownAtMost = 2_000;

/** What a model's server prints: read on as long as this section asks for it. */
export class Logs {
  readonly element: HTMLElement;
  private readonly choice = h("select", { "aria-label": "Model" });
  private readonly search = h("input", { type: "search", placeholder: "Search the log", "aria-label": "Search the log" });
  private readonly follow = h("input", { type: "checkbox", checked: true });
  private readonly status = h("p", { class: "status", role: "status" });
  private readonly text = h("pre", { class: "log", tabindex: 0, role: "region", "aria-label": "Log" });
  private all: string[] = [];
  private running: AbortController | undefined;
  private due = false;

  constructor(private readonly failed: (error: unknown) => void) {
    this.choice.addEventListener("change", () => this.read());
    this.search.addEventListener("input", () => this.draw());
    this.follow.addEventListener("change", () => { if (this.follow.checked) this.toEnd(); });
    // Who scrolls up wants to read; who comes back to the end wants to follow.
    this.text.addEventListener("scroll", () => {
      this.follow.checked = this.text.scrollHeight - this.text.scrollTop - this.text.clientHeight < 24;
    });
    this.element = section("logs", "Logs",
      h("div", { class: "filters" }, this.choice, this.search, h("label", { class: "check" }, this.follow, "follow"), this.status), this.text);
  }

  models(names: string[]): void {
    const now = [...this.choice.options].map((option) => option.value);
    if (now.join("\n") === ["", ...names].join("\n")) return;
    const chosen = this.choice.value;
    this.choice.replaceChildren(h("option", { value: "" }, "Choose a model"), ...names.map((name) => h("option", { value: name }, name)));
    this.choice.value = names.includes(chosen) ? chosen : "";
  }

  open(name: string): void {
    this.choice.value = name;
    this.read();
    this.element.scrollIntoView({ behavior: "auto" });
    this.text.focus({ preventScroll: true });
  }

  /** After the connection came back. */
  again(): void {
    if (this.choice.value) this.read();
  }

  private async read(): Promise<void> {
    this.running?.abort();
    this.all = [];
    this.follow.checked = true;
    this.draw();
    const name = this.choice.value;
    if (!name) return;
    const running = new AbortController();
    this.running = running;
    try {
      const response = await ask(modelPath(name, "logs?lines=1000&follow=1"), { signal: running.signal });
      for await (const line of lines(response)) {
        this.all.push(line);
        if (this.all.length > kept) this.all.splice(0, this.all.length - kept);
        this.drawSoon();
      }
    } catch (error) {
      if (!running.signal.aborted) this.failed(error);
    }
  }

  private drawSoon(): void {
    if (this.due) return;
    this.due = true;
    requestAnimationFrame(() => { this.due = false; this.draw(); });
  }

  private draw(): void {
    const word = this.search.value.toLowerCase();
    const found = word ? this.all.filter((line) => line.toLowerCase().includes(word)) : this.all;
    const shown = found.slice(-shownAtMost);
    this.text.replaceChildren(...(word ? shown.flatMap((line) => marked(line, word)) : [shown.join("\n")]));
    this.text.dataset["empty"] = shown.length === 0 ? "yes" : "no";
    if (shown.length === 0) this.text.textContent = this.choice.value ? (word ? "No line has these words." : "Nothing was printed yet.") : "Choose a model to read what its server prints.";
    say(this.status, word ? `${found.length} of ${counted(this.all.length, "line")}` : this.all.length > 0 ? counted(this.all.length, "line") : "");
    if (this.follow.checked) this.toEnd();
  }

  private toEnd(): void {
    this.text.scrollTop = this.text.scrollHeight;
  }
}

/** The line with what was searched for marked. */
function marked(line: string, word: string): Node[] {
  const parts: Node[] = [];
  const low = line.toLowerCase();
  let at = 0;
  for (let found = low.indexOf(word); found >= 0; found = low.indexOf(word, at)) {
    parts.push(document.createTextNode(line.slice(at, found)), h("mark", {}, line.slice(found, found + word.length)));
    at = found + word.length;
  }
  parts.push(document.createTextNode(`${line.slice(at)}\n`));
  return parts;
}
