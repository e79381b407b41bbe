import "./dashboard.css";
import { byId, h } from "../dom";
import { bytes, counted } from "../format";
import { ask, hasKey, lines, Refused, takeKeyFromAddress, Unreachable } from "./api";
import { Chat } from "./chat";
import { Events } from "./events";
import { KeyDialog } from "./key";
import { say } from "./keyed";
import { Logs } from "./logs";
import { Memory } from "./memory";
import { Models } from "./models";
import { Requests } from "./requests";
import type { Ps, Told } from "./types";

const longestPause = 10_000;

class Dashboard {
  private readonly logs = new Logs((error) => this.failed(error));
  private readonly chat = new Chat((error) => this.failed(error));
  private readonly models = new Models({
    logs: (name) => this.logs.open(name), chat: (name) => this.chat.open(name), failed: (error) => this.failed(error),
  });
  private readonly memory = new Memory();
  private readonly requests = new Requests();
  private readonly events = new Events();
  private readonly key = new KeyDialog(() => this.wake());
  private wakeUp: (() => void) | undefined;

  start(): void {
    const sections = [this.models, this.chat, this.requests, this.memory, this.events, this.logs].map((one) => one.element);
    byId("main").append(...sections);
    byId("sections").append(...sections.map((element) =>
      h("li", {}, h("a", { href: `#${element.id}` }, element.querySelector("h2")?.textContent ?? ""))));
    byId("key-button").addEventListener("click", () => this.key.ask("The gateway is asked with this key from now on."));
    document.documentElement.dataset["ready"] = "yes";
    void this.watch();
  }

  /** For ever: what the gateway tells, and again after it went away. */
  private async watch(): Promise<never> {
    let pause = 500;
    for (;;) {
      try {
        const response = await ask("/control/watch");
        this.requests.clear();
        this.events.clear();
        let first = true;
        for await (const line of lines(response)) {
          if (!line) continue;
          this.show(JSON.parse(line) as Told, first);
          if (first) this.logs.again();
          first = false;
          pause = 500;
        }
        this.banner("The gateway has ended the connection. Trying again.");
      } catch (error) {
        this.watchFailed(error);
      }
      await this.sleep(pause);
      pause = Math.min(pause * 2, longestPause);
    }
  }

  private watchFailed(error: unknown): void {
    const words = error instanceof Error ? error.message : String(error);
    if (error instanceof Refused && (error.status === 401 || error.status === 403)) {
      this.banner(`The gateway shows nothing without a key: ${words}.`);
      say(byId("summary"), "Locked");
      this.key.offer(hasKey() ? `The gateway refused this key: ${words}.`
        : "This gateway wants a key that may control it. The address that punie serve prints has one in it.");
      return;
    }
    this.banner(error instanceof Unreachable ? "The gateway does not answer. Trying again." : `No news from the gateway: ${words}. Trying again.`);
    say(byId("summary"), "Not connected");
  }

  private show(told: Told, first: boolean): void {
    this.banner("");
    this.summary(told.ps);
    this.models.show(told.ps);
    this.memory.show(told.ps);
    this.requests.show(told.live, told.requests);
    this.events.show(told.events);
    const names = told.ps.models.map((model) => model.name);
    this.logs.models(names);
    this.chat.models(told.ps.models.flatMap((model) => [model.name, ...model.adapters]));
    if (first) return;  // what happened before the page was opened is no news
    const heard = Events.heard(told.events);
    if (heard) say(byId("heard"), heard);
  }

  private summary(ps: Ps): void {
    const ready = ps.models.filter((model) => model.state === "ready").length;
    const waiting = ps.models.reduce((sum, model) => sum + model.waiting, 0);
    say(byId("summary"), `${ready} of ${counted(ps.models.length, "model")} ready, ${bytes(ps.memory.used)} of ${bytes(ps.memory.budget)}` +
      (waiting > 0 ? `, ${waiting} waiting` : ""));
    say(byId("foot"), `punie ${ps.version}, pid ${ps.pid}${ps.file ? `, ${ps.file}` : ""}`);
    document.title = waiting > 0 ? `(${waiting}) Punie` : "Punie";
  }

  private failed(error: unknown): void {
    if (error instanceof Refused && (error.status === 401 || error.status === 403)) {
      this.key.ask(`The gateway refused this: ${error.message}.`);
      return;
    }
    const words = error instanceof Error ? error.message : String(error);
    this.banner(error instanceof Refused && error.hint ? `${words} (${error.hint})` : words, 15_000);
  }

  private bannerUntil = 0;

  /** `keep`: so many milliseconds before good news may take it away. */
  private banner(text: string, keep = 0): void {
    if (text === "" && Date.now() < this.bannerUntil) return;
    this.bannerUntil = Date.now() + keep;
    const banner = byId("banner");
    banner.hidden = text === "";
    say(banner, text);
  }

  private sleep(time: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, time);
      this.wakeUp = () => { clearTimeout(timer); resolve(); };
    });
  }

  private wake(): void {
    this.wakeUp?.();
  }
}

takeKeyFromAddress();
new Dashboard().start();
