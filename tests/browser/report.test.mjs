// The report driven as a person drives it.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, test } from "node:test";
import { makeReport } from "./sample.mjs";
import { accessibilityFaults, close, open, page, scrollsSideways, shoot } from "./support.mjs";

after(close);

const data = makeReport({ prompts: 60 });
const usual = page("usual", data);
const few = page("few", makeReport({ prompts: 4 }));
const answers = makeReport({ prompts: 3334 });
const large = page("large", answers);
const phone = { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true, deviceScaleFactor: 2 };

const status = (tab) => tab.locator(".status").textContent();
const choose = (tab, label, option) => tab.getByLabel(label, { exact: true }).selectOption({ label: option });
const rows = (tab) => tab.locator(".prompt-row").count();

/** Waits until the list has settled on another number of prompts. */
async function settled(tab, words) {
  await tab.waitForFunction((text) => document.querySelector(".status").textContent === text, words, { timeout: 5000 })
    .catch(async () => assert.equal(await status(tab), words));
}

/** Every closed part, with what is made only when it is opened. */
async function openAll(tab) {
  await tab.evaluate(() => document.querySelectorAll("main details").forEach((one) => { one.open = true; }));
  await tab.waitForFunction(() => [...document.querySelectorAll("main details")].every((one) => one.childElementCount > 1));
}

const judged = (sample) => sample.state === "answered" || sample.state === "cut";
const won = (prompt, a, b) => judged(prompt.samples[a]) && judged(prompt.samples[b]) && prompt.samples[b].score > prompt.samples[a].score;

test("the verdict is the first thing that is read", () => open(usual.url, {}, async (tab) => {
  const verdict = tab.locator("#verdict");
  assert.equal(await verdict.textContent(), data.verdict);
  const box = await verdict.boundingBox();
  assert.ok(box.y + box.height < 300, `the verdict ends at ${box.y + box.height}`);
  assert.equal(await tab.title(), data.title);
  const order = await tab.evaluate(() => document.querySelector("#verdict").compareDocumentPosition(document.querySelector("main")));
  assert.ok(order & 4, "the figures come after it");
  await shoot(tab, "wide-light");
}));

test("every section is there, named and reached from the top", () => open(usual.url, {}, async (tab) => {
  const names = await tab.locator("#sections a").allTextContents();
  assert.deepEqual(names, ["Variants", "Differences", "Categories", "What changed", "Training", "Prompts", "Training data", "How it was made"]);
  await tab.getByRole("link", { name: "How it was made" }).click();
  await tab.getByRole("heading", { name: "How it was made" }).waitFor();
  assert.ok(await tab.getByText("punie run examples/quickstart/experiment.yaml").isVisible());
}));

test("figures stand beside their error bars", () => open(usual.url, {}, async (tab) => {
  const row = tab.locator("#variants .forest tbody tr").nth(1);
  const mean = data.variants[1].mean;
  assert.match(await row.textContent(), new RegExp(`tuned.*${(mean.value * 100).toFixed(1)}`));
  assert.ok((await row.textContent()).includes(`${(mean.low * 100).toFixed(1)} to ${(mean.high * 100).toFixed(1)}`));
  const [track, dot, bar] = await Promise.all([".track", ".dot", ".bar"].map((name) => row.locator(name).boundingBox()));
  const share = (dot.x + dot.width / 2 - track.x) / track.width;
  assert.ok(Math.abs(share - mean.value) < 0.01, `the dot is at ${share}, the mean is ${mean.value}`);
  assert.ok(Math.abs(bar.width / track.width - (mean.high - mean.low)) < 0.01);
  assert.ok(await tab.locator("#differences").getByText("exact McNemar test").first().isVisible());
}));

test("curves are drawn, and stand in a table for those who cannot see them", () => open(usual.url, {}, async (tab) => {
  assert.equal(await tab.locator("#training canvas").count(), 2);
  const painted = await tab.locator("#training canvas").first().evaluate((canvas) => {
    const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    return data.some((value) => value !== 0);
  });
  assert.ok(painted);
  await tab.getByText("Settings and points").click();
  assert.ok(await tab.getByRole("cell", { name: data.trainings[0].points[24].train_loss.toFixed(4) }).isVisible());
}));

test("search finds words in prompts, answers and reasons", () => open(usual.url, {}, async (tab) => {
  assert.equal(await status(tab), "60 prompts");
  await tab.getByPlaceholder("Search").fill("press it once");
  const expected = data.prompts.filter((prompt) => prompt.samples.some((sample) => sample.text?.includes("press it once"))).length;
  await settled(tab, `${expected} of 60 prompts`);
  await tab.getByPlaceholder("Search").fill("LIGHTS-kitchen-0");
  await settled(tab, "1 of 60 prompts");
  assert.equal(await rows(tab), 1);
  await tab.getByPlaceholder("Search").fill("nobody says this");
  await settled(tab, "No prompt of 60 fits.");
  assert.equal(await rows(tab), 0);
  await tab.getByRole("button", { name: "Show all" }).click();
  await settled(tab, "60 prompts");
}));

test("filters narrow by category, group, variant, outcome and change", () => open(usual.url, {}, async (tab) => {
  const count = (test) => data.prompts.filter(test).length;
  const words = (n) => (n === 60 ? "60 prompts" : `${n} of 60 prompts`);
  await choose(tab, "Category", "restraint");
  await settled(tab, words(count((p) => p.category === "restraint")));
  await choose(tab, "Group", "talk-garage");
  await settled(tab, words(count((p) => p.group === "talk-garage")));
  await tab.getByRole("button", { name: "Show all" }).click();
  await choose(tab, "Outcome", "not passed");
  await choose(tab, "Variant", "tuned");
  await settled(tab, words(count((p) => judged(p.samples[1]) && !p.samples[1].passed)));
  await choose(tab, "Outcome", "without an answer");
  await choose(tab, "Variant", "any variant");
  await settled(tab, words(count((p) => p.samples.some((s) => !judged(s)))));
  await tab.getByRole("button", { name: "Show all" }).click();
  await choose(tab, "Changed between variants", "won: tuned against base");
  await settled(tab, words(count((p) => won(p, 0, 1))));
  await choose(tab, "Changed between variants", "lost: tuned-4bit against tuned");
  await settled(tab, words(count((p) => won(p, 2, 1))));
}));

test("a prompt shows what was asked, answered, called and why it was judged so", () => open(usual.url, {}, async (tab) => {
  await tab.locator(".prompt-row", { hasText: "heating-bathroom-2" }).click();
  const detail = tab.locator("#detail");
  const prompt = data.prompts[2];
  assert.ok(await detail.getByRole("heading", { name: "heating-bathroom-2" }).isVisible());
  const text = await detail.textContent();
  for (const words of ["You control a house.", "Make the bathroom 20 degrees warm.", "4 tools: set_light", "tool_call"])
    assert.ok(text.includes(words), words);
  for (const sample of prompt.samples) assert.ok(text.includes(sample.reason), sample.reason);
  assert.ok(text.includes("read from the text (hermes)"));
  const heights = await detail.locator(".answer").evaluateAll((all) => all.map((one) => one.getBoundingClientRect().y));
  assert.equal(new Set(heights).size, 1, "the variants stand side by side");
  assert.match(tab.url(), /#prompt=heating-bathroom-2$/);
  await shoot(tab, "wide-prompt", false);
}));

test("a link to a prompt opens it", () => open(`${usual.url}#prompt=${encodeURIComponent(data.prompts[33].id)}`, {}, async (tab) => {
  assert.ok(await tab.locator("#detail").getByRole("heading", { name: data.prompts[33].id }).isVisible());
  assert.equal(await tab.locator('.prompt-row[aria-selected="true"] .prompt-id').textContent(), data.prompts[33].id);
}));

test("what changed is side by side and leads to the prompts", () => open(usual.url, {}, async (tab) => {
  const changed = tab.locator("#changed");
  const link = changed.locator("tbody a").first();
  const id = await link.textContent();
  await link.click();
  await tab.locator("#detail").getByRole("heading", { name: id }).waitFor();
  const all = data.prompts.filter((p) => won(p, 0, 1)).length;
  await changed.locator("summary", { hasText: "won" }).first().click();
  await changed.getByRole("button", { name: `See all ${all} in the list` }).click();
  await settled(tab, `${all} of 60 prompts`);
}));

test("the keyboard alone is enough", () => open(usual.url, {}, async (tab) => {
  await tab.keyboard.press("Tab");
  assert.equal(await tab.evaluate(() => document.activeElement.textContent), "Skip to the report");
  assert.ok(await tab.locator(".skip").isVisible());
  await tab.keyboard.press("/");
  assert.equal(await tab.evaluate(() => document.activeElement.id), "search");
  await tab.keyboard.type("kitchen");
  await tab.waitForFunction(() => / of 60/.test(document.querySelector(".status").textContent));
  await tab.keyboard.press("ArrowDown");
  assert.equal(await tab.evaluate(() => document.activeElement.id), "prompt-list");
  const outline = await tab.locator("#prompt-list").evaluate((list) => getComputedStyle(list).outlineStyle);
  assert.equal(outline, "solid", "the focus is seen");
  const selected = () => tab.locator('.prompt-row[aria-selected="true"]');
  await tab.keyboard.press("ArrowDown");
  assert.equal(await selected().getAttribute("aria-posinset"), "1");
  await tab.keyboard.press("End");
  const last = await selected().getAttribute("aria-setsize");
  assert.equal(await selected().getAttribute("aria-posinset"), last);
  assert.equal(await tab.locator("#prompt-list").getAttribute("aria-activedescendant"), await selected().getAttribute("id"));
  await tab.keyboard.press("ArrowUp");
  const id = await selected().locator(".prompt-id").textContent();
  assert.ok(await tab.locator("#detail").getByRole("heading", { name: id }).isVisible());
  await tab.keyboard.press("Tab");
  assert.ok(await tab.evaluate(() => document.getElementById("detail").contains(document.activeElement) || document.activeElement.id === "detail"));
}));

test("answers that try to be code stay text", () => open(usual.url, {}, async (tab) => {
  await tab.getByPlaceholder("Search").fill("hostile");
  const hostile = data.prompts.filter((prompt) => prompt.id.startsWith("hostile"));
  await settled(tab, `${hostile.length} of 60 prompts`);
  for (const prompt of hostile) {
    await tab.locator(".prompt-row", { hasText: prompt.id }).click();
    await openAll(tab);
    const shown = await tab.locator("#detail").textContent();
    const text = prompt.samples[0].text.replaceAll("\0", "");
    assert.ok(shown.replaceAll("\0", "").includes(text), text);
    const made = await tab.locator("#detail").evaluate((detail) => detail.querySelectorAll("img, iframe, svg, script, a, object, style").length);
    assert.equal(made, 0);
  }
}));

test("dark is dark, and light is light", async () => {
  const luminance = (tab) => tab.evaluate(() => {
    const [r, g, b] = getComputedStyle(document.body).backgroundColor.match(/\d+/g).map(Number);
    return (r + g + b) / 3;
  });
  await open(usual.url, { colorScheme: "light" }, async (tab) => assert.ok(await luminance(tab) > 240));
  await open(usual.url, { colorScheme: "dark" }, async (tab) => {
    assert.ok(await luminance(tab) < 40);
    await shoot(tab, "wide-dark");
  });
});

for (const width of [320, 390, 640, 900]) {
  test(`at ${width} pixels nothing is pushed out of the page`, () => open(usual.url, { viewport: { width, height: 800 } }, async (tab) => {
    assert.equal(await scrollsSideways(tab), false);
    await openAll(tab);
    await tab.locator(".prompt-row").nth(1).click();
    assert.equal(await scrollsSideways(tab), false, "with everything opened");
  }));
}

test("on a phone a prompt opens under the list and leads back", () => open(usual.url, { ...phone, colorScheme: "light" }, async (tab) => {
  await shoot(tab, "phone-light");
  await tab.locator(".prompt-row").nth(2).tap();
  const top = await tab.locator("#detail").evaluate((detail) => detail.getBoundingClientRect().top);
  assert.ok(top > 0 && top < 300, `the answer is at ${top}`);
  assert.equal(await tab.evaluate(() => document.activeElement.id), "detail-title");
  await shoot(tab, "phone-prompt", false);
  await tab.getByRole("button", { name: "Back to the list" }).tap();
  const list = await tab.locator("#prompts").evaluate((section) => section.getBoundingClientRect().top);
  assert.ok(list > -50 && list < 300);
}));

test("on a phone in the dark, with few prompts", () => open(few.url, { ...phone, colorScheme: "dark" }, async (tab) => {
  assert.match(await tab.locator("#verdict").textContent(), /Too few prompts/);
  assert.ok(await tab.locator("#differences").getByText("too few to tell").first().isVisible());
  await shoot(tab, "phone-dark-few");
}));

test("on paper it is white, without controls, with the prompts as a table", () => open(usual.url, { colorScheme: "dark" }, async (tab) => {
  const pdf = await tab.pdf({ format: "A4" });
  const pages = pdf.toString("latin1").match(/\/Type\s*\/Page\b/g).length;
  assert.ok(pages >= 4 && pages <= 14, `${pages} pages`);
  await tab.emulateMedia({ media: "print" });
  await tab.evaluate(() => window.dispatchEvent(new Event("beforeprint")));
  assert.equal(await tab.locator(".filters").isVisible(), false);
  assert.equal(await tab.locator(".only-print tbody tr").count(), 60);
  assert.equal(await tab.evaluate(() => getComputedStyle(document.body).backgroundColor), "rgb(255, 255, 255)");
  await shoot(tab, "print");
}));

test("the verdict is there without JavaScript", () => open(usual.url, { javaScriptEnabled: false }, async (tab) => {
  assert.ok(await tab.getByText(data.verdict).isVisible());
  assert.match(readFileSync(usual.html, "utf8"), /<noscript>.*need JavaScript/);
}));

test("10,000 answers open at once, scroll and search without waiting", (t) => open(large.url, {}, async (tab) => {
  const ready = await tab.evaluate(() => performance.getEntriesByType("navigation")[0].domComplete);
  const nodes = await tab.evaluate(() => document.querySelectorAll("*").length);
  t.diagnostic(`${answers.prompts.length * 3} answers: ${(large.bytes / 1e6).toFixed(1)} MB, usable after ${ready.toFixed(0)} ms, ${nodes} elements`);
  assert.ok(ready < 2500, `usable after ${ready} ms`);
  assert.ok(large.bytes < 8e6, `${large.bytes} bytes`);
  assert.ok(nodes < 4000, `${nodes} elements`);
  const text = `tool_call garage`;
  const began = Date.now();
  await tab.getByPlaceholder("Search").fill(text);
  await tab.waitForFunction(() => / of 3/.test(document.querySelector(".status").textContent));
  const first = Date.now() - began;
  t.diagnostic(`first search ${first} ms`);
  assert.ok(first < 3000, `the first search took ${first} ms`);
  await tab.getByRole("button", { name: "Show all" }).click();
  await tab.locator("#prompt-list").focus();
  await tab.keyboard.press("End");
  assert.equal(await tab.locator('.prompt-row[aria-selected="true"]').getAttribute("aria-posinset"), "3334");
  assert.ok(await rows(tab) < 60, "only the rows in view exist");
  await shoot(tab, "wide-10000", false);
}));

test("a report of one variant leaves out what it has not", () => {
  const one = makeReport({ prompts: 30, variants: 1 });
  for (const name of ["differences", "trainings", "findings", "data", "commands", "notes"]) delete one[name];
  return open(page("one", one).url, {}, async (tab) => {
    assert.deepEqual(await tab.locator("#sections a").allTextContents(), ["Variants", "Categories", "Prompts", "How it was made"]);
    assert.equal(await scrollsSideways(tab), false);
    await shoot(tab, "wide-one-variant");
  });
});

test("a report of nothing but a verdict is a page", () => {
  const bare = { format: "punie-report", version: 1, title: "Nothing", verdict: "The training failed before anything was asked.", tone: "failed" };
  return open(page("bare", bare).url, {}, async (tab) => assert.equal(await tab.locator("main section").count(), 0));
});

test("five variants with repeats keep to the page", () => {
  const many = makeReport({ prompts: 24 });
  for (const extra of ["tuned-8bit-with-a-rather-long-name-that-somebody-gave-it", "llama-3.2-1b"]) {
    many.variants.push({ ...many.variants[1], name: extra });
    for (const prompt of many.prompts) prompt.samples.push({ ...prompt.samples[1], variant: many.variants.length - 1 });
  }
  for (const prompt of many.prompts) {
    const again = { ...prompt.samples[1], number: 1, passed: !prompt.samples[1].passed, score: prompt.samples[1].passed ? 0 : 1 };
    prompt.samples.splice(2, 0, again);
  }
  const url = page("many", many).url;
  return open(url, { viewport: { width: 390, height: 844 } }, async (tab) => {
    assert.equal(await scrollsSideways(tab), false);
    await choose(tab, "Outcome", "passed and failed in repeats");
    await settled(tab, `${many.prompts.filter((p) => judged(p.samples[1])).length} of 24 prompts`.replace("24 of 24", "24"));
    await tab.locator(".prompt-row").first().click();
    assert.ok(await tab.locator("#detail").getByText("1 more sample").isVisible());
    assert.equal(await scrollsSideways(tab), false);
  });
});

for (const [name, options] of [["wide light", { colorScheme: "light" }], ["wide dark", { colorScheme: "dark" }], ["phone", { ...phone, colorScheme: "dark" }]]) {
  test(`accessibility, ${name}: axe-core finds nothing`, () => open(usual.url, options, async (tab) => {
    await openAll(tab);
    await tab.locator(".prompt-row").nth(2).click();
    assert.deepEqual(await accessibilityFaults(tab), []);
  }));
}

test("accessibility: a planted fault is seen", () => open(usual.url, {}, async (tab) => {
  await tab.evaluate(() => {
    document.getElementById("search").removeAttribute("aria-label");
    document.getElementById("search").removeAttribute("placeholder");
    document.getElementById("verdict").style.color = "#ccc";
  });
  const faults = (await accessibilityFaults(tab)).join("\n");
  assert.match(faults, /label: #search/);
  assert.match(faults, /color-contrast: #verdict/);
}));

test("the page holds no address but its own policy's", () => {
  const html = readFileSync(usual.html, "utf8").split('<script type="application/json"')[0];
  assert.deepEqual(html.match(/(?:src|href)="(?!#|data:,)[^"]*"|url\([^)]*\)|@import/g), null);
  assert.ok(html.includes("default-src 'none'"));
});
