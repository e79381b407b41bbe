import "./style.css";
import { trainingSection } from "./curves";
import { Data } from "./data";
import { append, byId, facts, h, scrolling, section } from "./dom";
import { categoriesSection, differencesSection, variantsSection } from "./figures";
import { counted } from "./format";
import { changedSection, Prompts } from "./prompts";
import type { Finding, Head } from "./types";

const mostFindings = 200;

function notes(head: Head): HTMLElement | null {
  if (!head.notes || head.notes.length === 0) return null;
  return h("ul", { class: "notes" }, head.notes.map((note) =>
    h("li", { "data-severity": note.severity }, h("strong", {}, note.severity), " ", note.text ?? "")));
}

function findingRow(finding: Finding): HTMLElement {
  const where = finding.file ? `${finding.file}${finding.line > 0 ? `:${finding.line}` : ""}` : "";
  return h("tr", {}, h("td", {}, h("span", { class: "severity", "data-severity": finding.severity }, finding.severity)),
    h("th", { scope: "row" }, h("code", {}, finding.code)), h("td", {}, h("code", { class: "where" }, where)),
    h("td", {}, finding.message ?? "", finding.why ? h("small", {}, finding.why) : null));
}

function dataSection(head: Head): HTMLElement | null {
  const findings = head.findings ?? [];
  if (findings.length === 0 && !head.data) return null;
  return section("data", "Training data", facts(head.data),
    findings.length > 0 ? scrolling("Findings", h("table", { class: "findings" },
      h("caption", {}, findings.length > mostFindings ? `${counted(findings.length, "finding")}, the first ${mostFindings}` : counted(findings.length, "finding")),
      h("thead", {}, h("tr", {}, ["severity", "code", "where", "what"].map((name) => h("th", { scope: "col" }, name)))),
      h("tbody", {}, findings.slice(0, mostFindings).map(findingRow))))
      : h("p", {}, "The check found nothing."));
}

function madeSection(head: Head): HTMLElement | null {
  if (!head.environment && !head.commands) return null;
  return section("made", "How it was made", facts(head.environment),
    head.commands && h("ul", { class: "commands" }, head.commands.map((command) =>
      h("li", {}, h("span", {}, command.what ?? ""), h("pre", {}, command.text ?? "")))));
}

function origin(head: Head): string {
  return [head.suite && `suite ${head.suite}`, head.created, head.run && `run ${head.run}`].filter(Boolean).join(" \u00b7 ") || "Punie report";
}

function start(): void {
  const data = new Data();
  const head = data.head;
  byId("origin").textContent = origin(head);
  const listed = notes(head);
  if (listed) byId("verdict").after(listed);
  const prompts = new Prompts(data);
  const training = trainingSection(head);
  const sections = [
    variantsSection(head), differencesSection(head), categoriesSection(head), changedSection(data, prompts),
    training?.element ?? null, data.rows.length > 0 ? prompts.element : null, dataSection(head), madeSection(head),
  ].filter((element) => element !== null);
  append(byId("main"), sections);
  append(byId("sections"), [h("ul", {}, sections.map((element) =>
    h("li", {}, h("a", { href: `#${element.id}` }, element.querySelector("h2")?.textContent ?? ""))))]);
  byId("foot").textContent = `Made by punie ${head.punie_version ?? ""}`.trim();
  if (data.rows.length > 0) prompts.start();
  if (training) keepDrawn(training.draw);
  document.documentElement.dataset["ready"] = "yes";
}

/** Canvases know neither the colour scheme nor the width: drawn again when either changes. */
function keepDrawn(draw: () => void): void {
  draw();
  let width = document.documentElement.clientWidth;
  window.addEventListener("resize", () => {
    if (width === document.documentElement.clientWidth) return;
    width = document.documentElement.clientWidth;
    draw();
  });
  window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
  for (const [event, on] of [["beforeprint", true], ["afterprint", false]] as const) {
    window.addEventListener(event, () => {
      document.documentElement.classList.toggle("printing", on);
      draw();
    });
  }
}

start();
