// The dashboard driven as a person drives it, against a fake gateway.
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { chunks, fail, FakeGateway, model, usual } from "./dashboard_gateway.mjs";
import { accessibilityFaults, browser, close, scrollsSideways, shoot } from "./support.mjs";

after(close);

const phone = { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true, deviceScaleFactor: 2 };

/**
 * A page on a gateway. Whatever it looks at: only its own gateway is asked, no policy is broken, no
 * script fails.
 */
async function look(options, prepare, use) {
  const gateway = await new FakeGateway().start();
  await prepare(gateway);
  const context = await browser.newContext({ viewport: { width: 1360, height: 950 }, ...options });
  const tab = await context.newPage();
  const outside = [];
  const said = [];
  tab.on("request", (request) => { if (!request.url().startsWith(gateway.url) && request.url() !== "data:,") outside.push(request.url()); });
  tab.on("console", (message) => { if (!/Failed to load resource/.test(message.text())) said.push(message.text()); });
  tab.on("pageerror", (error) => said.push(String(error)));
  try {
    await tab.goto(gateway.url + (options.hash ?? ""));
    await tab.waitForSelector("html[data-ready]", { state: "attached" });
    await use(tab, gateway);
    assert.deepEqual(outside, [], "the page asked somebody else");
    assert.deepEqual(said, [], "the console is not empty");
  } finally {
    await context.close();
    await gateway.stop();
  }
}

const row = (tab, name) => tab.locator(".model").filter({ has: tab.getByRole("heading", { name, exact: true }) });
const has = (locator, text) => locator.filter({ hasText: text }).first().waitFor({ timeout: 5000 });

test("every state is shown with its reason", () => look({}, usual, async (tab) => {
  await has(tab.locator("#summary"), "2 of 6 models ready");
  await has(row(tab, "qwen3-8b"), /ready.*unloaded in [89] min/);
  await has(row(tab, "smollm2-base"), /loading for \d+ s, the last load took 9 s/);
  await has(row(tab, "mlx-community/Mistral-Small-24B-Instruct-2501-4bit"), /signal 9.*tried again in \d+ s/);
  await has(row(tab, "gemma-4b"), "unloaded after 600 s without a request");
  await has(row(tab, "whisper-notes"), "draining");
  assert.equal(await row(tab, "smollm2-base").locator("progress").isVisible(), true);
  assert.equal(await row(tab, "gemma-4b").locator("progress").isVisible(), false);
  assert.deepEqual(await row(tab, "gpt-far").getByRole("button").allTextContents(), ["Chat"], "it is not ours to unload");
  const value = await row(tab, "smollm2-base").locator("progress").evaluate((one) => one.value);
  assert.ok(value > 0.3 && value < 0.98, `progress ${value}`);
  await row(tab, "mlx-community/Mistral-Small-24B-Instruct-2501-4bit").getByText("Last lines of its log").click();
  await has(tab.locator(".failure pre"), "Insufficient Memory");
}));

test("memory bars are shares of the budget", () => look({ reducedMotion: "reduce" }, usual, async (tab) => {
  await has(row(tab, "qwen3-8b"), "5.10 GB");
  const [bar, fill] = await Promise.all([".bar", ".bar i:last-child"].map((name) => row(tab, "qwen3-8b").locator(name).boundingBox()));
  assert.ok(Math.abs(fill.width / bar.width - 5.1 / 12) < 0.02, `${fill.width} of ${bar.width}`);
  await has(tab.locator("#memory-words"), /7\.40 GB of 12\.00 GB are used: qwen3-8b 5\.10 GB/);
  assert.equal(await tab.locator("#memory path").count(), 3);
}));

test("load, then ready, then unload: buttons say what they do", () => look({}, (gateway) => {
  gateway.models = [model("tiny")];
  gateway.act = (found, what) => {
    Object.assign(found, what === "load" ? { state: "ready", memory: 4e8 } : { state: "stopped", memory: 0 });
    gateway.happen({ model: "tiny", state: found.state, text: what });
  };
}, async (tab, gateway) => {
  await tab.getByRole("button", { name: "Load tiny", exact: true }).click();
  await tab.getByRole("button", { name: "Unload tiny", exact: true }).waitFor();
  assert.ok(gateway.calls.includes("POST /control/models/tiny/load"));
  await has(tab.locator("#heard"), "tiny is ready");
  await tab.getByRole("button", { name: "Unload tiny", exact: true }).click();
  await tab.getByRole("button", { name: "Load tiny", exact: true }).waitFor();
  assert.ok(gateway.calls.includes("POST /control/models/tiny/unload"));
}));

test("a name with a slash is asked for by its path; a refusal is shown with its hint", () => look({}, (gateway) => {
  gateway.models = [model("org/a b")];
  gateway.act = (_found, _what, response) => fail(response, 507, "org/a b needs 14 GB, the budget is 12 GB", "unpin another one");
}, async (tab, gateway) => {
  await tab.getByRole("button", { name: "Load org/a b", exact: true }).click();
  await has(tab.locator("#banner"), "needs 14 GB, the budget is 12 GB (unpin another one)");
  assert.ok(gateway.calls.includes("POST /control/models/org/a%20b/load"));
}));

test("a draining model can be stopped at once", () => look({}, usual, async (tab, gateway) => {
  await tab.getByRole("button", { name: "Stop now whisper-notes" }).click();
  await tab.waitForFunction(() => !document.querySelector("[aria-disabled]"));
  assert.ok(gateway.calls.includes("POST /control/models/whisper-notes/unload?force=1"));
}));

test("an update keeps the focus where it is", () => look({}, usual, async (tab, gateway) => {
  const button = tab.getByRole("button", { name: "Logs of gemma-4b" });
  await button.focus();
  gateway.models[3].served = 89;
  gateway.models.unshift(model("new-one"));
  gateway.tell();
  await has(row(tab, "gemma-4b"), "89 served");
  assert.equal(await tab.evaluate(() => document.activeElement.getAttribute("aria-label")), "Logs of gemma-4b");
  assert.equal(await tab.locator(".model h3").first().textContent(), "new-one");
  gateway.models.shift();
  gateway.tell();
  await row(tab, "new-one").waitFor({ state: "detached" });
}));

test("running requests come and go, finished ones are searched", () => look({}, usual, async (tab, gateway) => {
  await has(tab.locator(".live tbody tr"), /smollm2-base:home.*waiting/);
  assert.equal(await tab.locator(".live tbody tr").count(), 3);
  gateway.live = [];
  gateway.tell();
  await tab.getByText("No request is running.").waitFor();
  await has(tab.locator("#requests .status"), "40 finished requests");
  await tab.getByLabel("only failed").check();
  await has(tab.locator("#requests .status"), "3 of 40 finished requests");
  assert.match(await tab.locator(".finished tbody tr").first().textContent(), /503.*signal 9/);
  await tab.getByLabel("only failed").uncheck();
  await tab.getByLabel("Search finished requests").fill("gemma laptop");
  await has(tab.locator("#requests .status"), /^\d of 40/);
  await tab.getByLabel("Search finished requests").fill("");
  gateway.end({ model: "newest" });
  await has(tab.locator(".finished tbody tr").first(), "newest");
}));

test("events are listed, newest first", () => look({}, usual, async (tab, gateway) => {
  gateway.happen({ model: "gemma-4b", state: "starting", text: "wanted by laptop" });
  await has(tab.locator(".events li").first(), /starting.*gemma-4b: wanted by laptop/);
  assert.equal(await tab.locator(".events li").count(), 5);
}));

test("logs are followed and searched", () => look({}, usual, async (tab, gateway) => {
  await tab.getByRole("button", { name: "Logs of qwen3-8b" }).click();
  await has(tab.locator(".log"), "loading weights");
  gateway.print("a line that just came <b>bold</b>");
  await has(tab.locator(".log"), "a line that just came <b>bold</b>");
  assert.equal(await tab.locator(".log b").count(), 0);
  const atEnd = () => tab.locator(".log").evaluate((one) => one.scrollHeight - one.scrollTop - one.clientHeight < 24);
  assert.ok(await atEnd(), "it follows");
  await tab.locator(".log").evaluate((one) => { one.scrollTop = 0; });
  await tab.waitForFunction(() => !document.querySelector("#logs input[type=checkbox]").checked);
  gateway.print("not followed");
  await has(tab.locator("#logs .status"), "64 lines");
  assert.ok(!(await atEnd()), "who reads is left in peace");
  await tab.getByLabel("follow").check();
  assert.ok(await atEnd());
  await tab.getByLabel("Search the log").fill("WEIGHTS");
  await has(tab.locator("#logs .status"), "1 of 64 lines");
  assert.equal(await tab.locator(".log mark").textContent(), "weights");
  await tab.getByLabel("Search the log").fill("nothing has this");
  await has(tab.locator(".log"), "No line has these words.");
}));

test("a chat streams its answer and says how fast it was", () => look({}, usual, async (tab, gateway) => {
  await tab.getByRole("button", { name: "Chat with gemma-4b" }).click();
  await tab.getByLabel("Message").fill("Hi");
  await tab.keyboard.press("Enter");
  await has(tab.locator("[data-role=assistant] .words"), "Hello there");
  await has(tab.locator("[data-role=assistant] .note"), /first word after .* 3 tokens in/);
  assert.equal(gateway.asked.model, "gemma-4b");
  assert.deepEqual(gateway.asked.messages, [{ role: "user", content: "Hi" }]);
  await tab.getByText("Settings").click();
  await tab.getByLabel("System prompt").fill("Be short.");
  await tab.getByLabel("Temperature").fill("0.5");
  await tab.getByLabel("Message").fill("Again");
  await tab.getByRole("button", { name: "Send" }).click();
  await has(tab.locator("[data-role=assistant] .note").nth(1), "first word");
  assert.equal(gateway.asked.temperature, 0.5);
  assert.deepEqual(gateway.asked.messages.map((one) => one.role), ["system", "user", "assistant", "user"]);
  await tab.getByRole("button", { name: "New conversation" }).click();
  assert.equal(await tab.locator(".talk article").count(), 0);
}));

test("a torn answer is not taken for a whole one, and the question comes back", () => look({}, (gateway) => {
  usual(gateway);
  gateway.chat = (response) => chunks(response, ["half an ans"], false);
}, async (tab) => {
  await tab.getByLabel("Message").fill("Tell me all");
  await tab.getByRole("button", { name: "Send" }).click();
  await has(tab.locator(".note[data-failed]"), "torn");
  assert.equal(await tab.getByLabel("Message").inputValue(), "Tell me all");
}));

test("what the gateway says in an error event, or instead of an answer, is shown", () => look({}, (gateway) => {
  usual(gateway);
  let calls = 0;
  gateway.chat = (response) => {
    if (++calls === 1) fail(response, 503, "the model is backing off", "punie logs qwen3-8b");
    else response.writeHead(200, { "Content-Type": "text/event-stream" }).end('data: {"error":{"message":"the server died"}}\n\n');
  };
}, async (tab) => {
  await tab.getByLabel("Message").fill("Hi");
  await tab.getByRole("button", { name: "Send" }).click();
  await has(tab.locator(".note[data-failed]"), "the model is backing off (punie logs qwen3-8b)");
  await tab.getByRole("button", { name: "Send" }).click();
  await has(tab.locator(".note[data-failed]").nth(1), "the server died");
}));

test("an answer's markup stays text, and an answer can be stopped", () => look({}, (gateway) => {
  usual(gateway);
  gateway.chat = (response) => {
    response.writeHead(200, { "Content-Type": "text/event-stream" });
    response.write(`data: ${JSON.stringify({ choices: [{ delta: { content: "<img src=x onerror=window.hacked=1>" } }] })}\n\n`);
    response.on("close", () => { gateway.left = true; });
  };
}, async (tab, gateway) => {
  await tab.getByLabel("Message").fill("Hi");
  await tab.getByRole("button", { name: "Send" }).click();
  await has(tab.locator("[data-role=assistant] .words"), "<img src=x");
  assert.equal(await tab.locator(".words img").count(), 0);
  await tab.getByRole("button", { name: "Stop", exact: true }).click();
  await has(tab.locator("[data-role=assistant] .note"), "stopped");
  const end = Date.now() + 5000;
  while (!gateway.left && Date.now() < end) await new Promise((resolve) => { setImmediate(resolve); });
  assert.ok(gateway.left, "the gateway was told");
  assert.equal(await tab.evaluate(() => window.hacked), undefined);
}));

test("a gateway that wants a key is asked for it; it is kept nowhere", () => look({}, (gateway) => {
  usual(gateway);
  gateway.key = "right";
}, async (tab, gateway) => {
  const dialog = tab.getByRole("dialog", { name: "Key" });
  await dialog.waitFor();
  assert.deepEqual(await accessibilityFaults(tab), []);
  await tab.keyboard.type("wrong");
  await tab.keyboard.press("Enter");
  await dialog.getByText("The gateway refused this key").waitFor();
  await tab.keyboard.type("right");
  await tab.keyboard.press("Enter");
  await has(tab.locator("#summary"), "models ready");
  assert.equal(await dialog.isVisible(), false);
  const kept = await tab.evaluate(() => [localStorage.length, sessionStorage.length, document.cookie, location.href.includes("right")]);
  assert.deepEqual(kept, [0, 0, "", false]);
  assert.ok(gateway.calls.every((call) => !call.includes("right")), "no key in an address");
}));

test("who says later is left in peace, and can give the key by the button", () => look({}, (gateway) => {
  usual(gateway);
  gateway.key = "right";
}, async (tab, gateway) => {
  await tab.getByRole("button", { name: "Later" }).click();
  await has(tab.locator("#banner"), "without a key");
  const before = gateway.calls.length;
  const end = Date.now() + 8000;
  while (gateway.calls.length < before + 2 && Date.now() < end) await tab.evaluate(() => new Promise(requestAnimationFrame));
  assert.equal(await tab.getByRole("dialog").isVisible(), false);
  await tab.getByRole("button", { name: "Key", exact: true }).click();
  await tab.keyboard.type("right");
  await tab.keyboard.press("Enter");
  await has(tab.locator("#summary"), "models ready");
}));

test("the key of the printed address is used and leaves the address", () => look({ hash: "#key=right" }, (gateway) => {
  usual(gateway);
  gateway.key = "right";
}, async (tab) => {
  await has(tab.locator("#summary"), "models ready");
  assert.equal(new URL(tab.url()).hash, "");
}));

test("a lost gateway is said, and found again", () => look({}, usual, async (tab, gateway) => {
  await has(tab.locator("#summary"), "models ready");
  gateway.key = "nobody";
  gateway.drop();
  await has(tab.locator("#banner"), /Trying again|without a key/);
  gateway.key = "";
  await tab.waitForFunction(() => document.querySelector("#banner").hidden, undefined, { timeout: 15000 });
  await has(tab.locator("#requests .status"), "40 finished requests");
}));

test("all of it by keyboard", () => look({}, (gateway) => {
  gateway.models = [model("tiny")];
  gateway.act = (found) => { found.state = "ready"; gateway.tell(); };
}, async (tab) => {
  await row(tab, "tiny").waitFor();
  await tab.keyboard.press("Tab");
  assert.equal(await tab.evaluate(() => document.activeElement.className), "skip");
  await tab.keyboard.press("Enter");
  for (let i = 0; i < 12; ++i) {
    await tab.keyboard.press("Tab");
    if (await tab.evaluate(() => document.activeElement.getAttribute("aria-label")) === "Load tiny") break;
  }
  await tab.keyboard.press("Enter");
  await tab.getByRole("button", { name: "Unload tiny" }).waitFor();
}));

/** Five minutes in which a model is loaded and another goes. */
function passMinutes(gateway) {
  const memory = gateway.models.map((one) => one.memory);
  for (let i = 0; i <= 100; ++i) {
    gateway.ahead = i * 3000;
    gateway.models.forEach((one, at) => { one.memory = memory[at]; });
    gateway.models[1].memory = i > 40 ? memory[1] * Math.min(1, (i - 40) / 30) : 0;
    if (i < 25) gateway.models[4].memory = 0;
    if (i > 10 && i < 60) gateway.models[3].memory = 2.8e9;
    gateway.tell();
  }
}

for (const [name, options] of [
  ["wide-light", {}], ["wide-dark", { colorScheme: "dark" }], ["phone-light", phone], ["phone-dark", { ...phone, colorScheme: "dark" }],
]) {
  test(`no accessibility fault, nothing beside the page: ${name}`, () => look(options, usual, async (tab, gateway) => {
    await has(tab.locator("#summary"), "models ready");
    passMinutes(gateway);
    await tab.getByRole("button", { name: "Logs of qwen3-8b" }).click();
    await has(tab.locator(".log"), "loading weights");
    await tab.getByLabel("Message").fill("What can you do?");
    await tab.getByRole("button", { name: "Send" }).click();
    await has(tab.locator("[data-role=assistant] .note"), "first word");
    assert.deepEqual(await accessibilityFaults(tab), []);
    assert.equal(await scrollsSideways(tab), false);
    await tab.evaluate(() => window.scrollTo(0, 0));
    await shoot(tab, `dashboard-${name}`);
  }));
}
