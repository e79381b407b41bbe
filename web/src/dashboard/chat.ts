import { h, section } from "../dom";
import { duration } from "../format";
import { ask, lines, Refused } from "./api";
import { say } from "./keyed";

interface Message {
  role: "user" | "assistant" | "system";
  content: string;
}

interface Chunk {
  choices?: { delta?: { content?: string; reasoning_content?: string; reasoning?: string; tool_calls?: unknown }; finish_reason?: string | null }[];
  error?: { message?: string };
  usage?: { completion_tokens?: number };
}

/** Tries a model as any client would: POST /v1/chat/completions, streamed. */
export class Chat {
  readonly element: HTMLElement;
  private readonly choice = h("select", { "aria-label": "Model" });
  private readonly list = h("div", { class: "talk", role: "log", tabindex: 0, "aria-label": "Conversation" });
  private readonly input = h("textarea", { rows: 3, placeholder: "Say something", "aria-label": "Message" });
  private readonly send = h("button", { type: "submit", class: "first" }, "Send");
  private readonly fresh = h("button", { type: "button" }, "New conversation");
  private readonly system = h("textarea", { rows: 2, id: "chat-system" });
  private readonly temperature = h("input", { type: "number", min: 0, max: 2, step: 0.1, id: "chat-temperature", placeholder: "default" });
  private readonly most = h("input", { type: "number", min: 1, step: 1, id: "chat-most", placeholder: "default" });
  private messages: Message[] = [];
  private running: AbortController | undefined;

  constructor(private readonly failed: (error: unknown) => void) {
    const form = h("form", { class: "say" }, this.input, h("div", { class: "do" }, this.send, this.fresh));
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      if (this.running) this.running.abort();
      else void this.ask();
    });
    this.input.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      if (!this.running) void this.ask();
    });
    this.fresh.addEventListener("click", () => {
      this.running?.abort();
      this.messages = [];
      this.list.replaceChildren();
      this.list.hidden = true;
      this.input.focus();
    });
    this.list.hidden = true;
    this.element = section("chat", "Try a model",
      h("div", { class: "filters" }, this.choice,
        h("details", { class: "settings" }, h("summary", {}, "Settings"),
          h("label", { for: "chat-system" }, "System prompt"), this.system,
          h("label", { for: "chat-temperature" }, "Temperature"), this.temperature,
          h("label", { for: "chat-most" }, "Most tokens"), this.most)),
      this.list, form);
  }

  models(names: string[]): void {
    const now = [...this.choice.options].map((option) => option.value);
    if (now.join("\n") === names.join("\n")) return;
    const chosen = this.choice.value;
    this.choice.replaceChildren(...names.map((name) => h("option", { value: name }, name)));
    if (names.includes(chosen)) this.choice.value = chosen;
  }

  open(name: string): void {
    this.choice.value = name;
    this.element.scrollIntoView({ behavior: "auto" });
    this.input.focus({ preventScroll: true });
  }

  private bubble(role: Message["role"], text: string): { words: HTMLElement; note: HTMLElement } {
    const words = h("div", { class: "words" }, text);
    const note = h("p", { class: "note" });
    this.list.append(h("article", { "data-role": role }, h("span", { class: "role" }, role === "user" ? "you" : this.choice.value), words, note));
    this.list.hidden = false;
    this.list.scrollTop = this.list.scrollHeight;
    return { words, note };
  }

  private body(): Record<string, unknown> {
    const system = this.system.value.trim();
    const body: Record<string, unknown> = {
      model: this.choice.value,
      messages: [...(system ? [{ role: "system", content: system }] : []), ...this.messages],
      stream: true,
      stream_options: { include_usage: true },
    };
    if (this.temperature.value !== "") body["temperature"] = Number(this.temperature.value);
    if (this.most.value !== "") body["max_tokens"] = Number(this.most.value);
    return body;
  }

  private async ask(): Promise<void> {
    const text = this.input.value.trim();
    if (!text || !this.choice.value) return;
    this.input.value = "";
    this.messages.push({ role: "user", content: text });
    this.bubble("user", text);
    const { words, note } = this.bubble("assistant", "");
    const running = new AbortController();
    this.running = running;
    say(this.send, "Stop");
    say(note, "waiting for the model");
    this.list.setAttribute("aria-busy", "true");
    try {
      const said = await this.stream(running, words, note);
      this.messages.push({ role: "assistant", content: said });
    } catch (error) {
      this.notAnswered(running, error, text, note);
    } finally {
      this.running = undefined;
      say(this.send, "Send");
      this.list.removeAttribute("aria-busy");
      this.list.scrollTop = this.list.scrollHeight;
    }
  }

  /** The question goes back into the field: nobody wants to type it twice. */
  private notAnswered(running: AbortController, error: unknown, text: string, note: HTMLElement): void {
    this.messages.pop();
    if (running.signal.aborted) {
      say(note, "stopped");
      return;
    }
    const words = error instanceof Error ? error.message : String(error);
    say(note, error instanceof Refused && error.hint ? `${words} (${error.hint})` : words);
    note.dataset["failed"] = "";
    if (!this.input.value) this.input.value = text;
    if (error instanceof Refused && error.status === 401) this.failed(error);
  }

  private async stream(running: AbortController, words: HTMLElement, note: HTMLElement): Promise<string> {
    const begun = performance.now();
    const response = await ask("/v1/chat/completions", { method: "POST", body: this.body(), signal: running.signal });
    let said = "";
    let tokens = 0;
    let first = 0;
    let whole = false;
    for await (const line of lines(response)) {
      if (!line.startsWith("data:")) continue;
      const data = line.slice(5).trim();
      if (data === "[DONE]") {
        whole = true;
        break;
      }
      const chunk = JSON.parse(data) as Chunk;
      if (chunk.error) throw new Error(chunk.error.message ?? "the server reported an error");
      const delta = chunk.choices?.[0]?.delta;
      const piece = delta?.content ?? delta?.reasoning_content ?? delta?.reasoning ?? "";
      if (chunk.usage?.completion_tokens) tokens = chunk.usage.completion_tokens;
      else if (piece) ++tokens;
      if (piece && first === 0) first = performance.now();
      const atEnd = this.list.scrollHeight - this.list.scrollTop - this.list.clientHeight < 40;
      said += piece;
      if (delta?.tool_calls) said += JSON.stringify(delta.tool_calls);
      say(words, said);
      if (atEnd) this.list.scrollTop = this.list.scrollHeight;
    }
    if (!whole) throw new Error("the answer was torn: the server ended in the middle of it");
    const end = performance.now();
    const rate = first > 0 && end > first + 1 ? `, ${((tokens / (end - first)) * 1000).toFixed(1)} tokens a second` : "";
    say(note, `first word after ${duration(((first || end) - begun) / 1000)}, ${tokens} tokens in ${duration((end - begun) / 1000)}${rate}`);
    return said;
  }
}
