// A browser, the reports it looks at, and what every page must keep to while it is looked at.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { chromium } from "playwright-core";

const here = dirname(fileURLToPath(import.meta.url));
export const screenshots = join(here, "../../build/screenshots");
const folder = mkdtempSync(join(tmpdir(), "punie-browser-"));

const axe = readFileSync(join(here, "node_modules/axe-core/axe.min.js"), "utf8");

export const browser = await chromium.launch({
  executablePath: process.env.PUNIE_CHROMIUM,
  // Root has no sandbox in a container; the pages are our own files.
  args: process.getuid?.() === 0 ? ["--no-sandbox"] : [],
});

export async function close() {
  await browser.close();
  rmSync(folder, { recursive: true, force: true });
}

/** The page of a report as `punie report` writes it: where it is and how large. */
export function page(name, data) {
  const json = join(folder, `${name}.json`);
  const html = join(folder, `${name}.html`);
  if (!existsSync(html)) {
    writeFileSync(json, JSON.stringify(data));
    execFileSync(process.env.PUNIE_BINARY, ["report", json, "--html", html], { stdio: ["ignore", "ignore", "inherit"] });
  }
  return { url: pathToFileURL(html).href, bytes: statSync(html).size, html };
}

/**
 * Opens a page and runs `look` on it. Whatever it looks at: nothing is asked of the network, nothing
 * is said on the console, no policy is broken, no answer's code runs.
 */
export async function open(url, options, look) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
  const tab = await context.newPage();
  const asked = [];
  const said = [];
  tab.on("request", (request) => asked.push(request.url()));
  tab.on("console", (message) => said.push(message.text()));
  tab.on("pageerror", (error) => said.push(String(error)));
  tab.on("dialog", (dialog) => said.push(`dialog ${dialog.message()}`));
  try {
    await tab.goto(url);
    if (options.javaScriptEnabled !== false) await tab.waitForSelector("html[data-ready]", { state: "attached" });
    await look(tab);
    const outside = asked.filter((one) => one.split("#")[0] !== url.split("#")[0] && one !== "data:,");
    assert.deepEqual(outside, [], "the page asked for something");
    assert.deepEqual(said, [], "the console is not empty");
    if (options.javaScriptEnabled !== false) assert.equal(await tab.evaluate(() => window.hacked), undefined, "an answer ran");
  } finally {
    await context.close();
  }
}

export async function shoot(tab, name, fullPage = true) {
  mkdirSync(screenshots, { recursive: true });
  await tab.screenshot({ path: join(screenshots, `${name}.png`), fullPage });
}

/** Faults that axe-core finds, a line each. */
export async function accessibilityFaults(tab) {
  // The page's own policy forbids an added script, so it goes past the document's loader.
  await tab.evaluate(axe);
  const result = await tab.evaluate(() => window.axe.run(document, {
    runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
  }));
  return result.violations.flatMap((fault) => fault.nodes.map((node) => `${fault.id}: ${node.target.join(" ")}: ${fault.help}`));
}

export const scrollsSideways = (tab) => tab.evaluate(() => document.documentElement.scrollWidth > document.documentElement.clientWidth);
