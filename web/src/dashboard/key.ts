// The dialog that asks for a key.
import { h } from "../dom";
import { setKey } from "./api";

export class KeyDialog {
  private readonly why = h("p", { id: "key-why" });
  private readonly input = h("input", { type: "password", id: "key-input", autocomplete: "off", spellcheck: "false", "aria-describedby": "key-why key-note" });
  private readonly dialog: HTMLDialogElement;
  private dismissed = false;

  constructor(changed: () => void) {
    const later = h("button", { type: "button" }, "Later");
    const form = h("form", {}, h("h2", { id: "key-title" }, "Key"), this.why, h("label", { for: "key-input" }, "API key with the right to control"), this.input,
      h("p", { class: "hint", id: "key-note" }, "Kept in this page's memory only: it is gone when the page is closed or loaded anew."),
      h("div", { class: "do" }, h("button", { type: "submit", class: "first" }, "Use this key"), later));
    this.dialog = h("dialog", { "aria-labelledby": "key-title" }, form);
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      setKey(this.input.value);
      this.input.value = "";
      this.dialog.close();
      changed();
    });
    later.addEventListener("click", () => this.dialog.close());
    this.dialog.addEventListener("cancel", () => { this.dismissed = true; });
    later.addEventListener("click", () => { this.dismissed = true; });
    document.body.append(this.dialog);
  }

  /** Because the gateway refused; who said "later" once is left in peace. */
  offer(why: string): void {
    if (!this.dismissed && !this.dialog.open) this.ask(why);
  }

  ask(why: string): void {
    this.dismissed = false;
    this.why.textContent = why;
    if (!this.dialog.open) this.dialog.showModal();
    this.input.focus();
  }
}
