// The dashboard on the built gateway, with the fake model server behind it.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { after, test } from "node:test";
import { accessibilityFaults, browser, close } from "./support.mjs";

after(close);

const source = join(dirname(fileURLToPath(import.meta.url)), "../..");
const binary = process.env.PUNIE_BINARY ?? "";
const fake = join(dirname(binary), "tests/fake-model-server");
const missing = existsSync(binary) && existsSync(fake) ? false : "no built punie with its tests' fakes";

/** A gateway in the foreground: where its page is, and its end. */
async function serve(folder) {
  mkdirSync(join(folder, "bin"));
  symlinkSync(fake, join(folder, "bin/llama-server"));
  writeFileSync(join(folder, "model.gguf"), Buffer.concat([Buffer.from("GGUF\x03\0\0\0"), Buffer.alloc(64)]));
  writeFileSync(join(folder, "punie.yaml"), "listen: {host: 127.0.0.1, port: 0}\nmodels:\n  tiny:\n    backend: llama\n    path: model.gguf\n");
  const child = spawn(binary, ["serve", join(folder, "punie.yaml"), "--json"], {
    stdio: ["ignore", "pipe", "ignore"],
    env: {
      PATH: `${join(folder, "bin")}:/usr/bin:/bin`, HOME: folder, TERM: "dumb", PUNIE_CONTROL_SOCKET: join(folder, "control.sock"),
      FAKE_SERVER_ARGS: `--help-file ${join(source, "tests/unit/backend/recorded/llama_server_0.3.36.txt")}`,
    },
  });
  const ended = new Promise((resolve) => child.on("exit", resolve));
  const lines = createInterface({ input: child.stdout });
  const url = await new Promise((resolve, reject) => {
    lines.on("line", (line) => {
      const said = JSON.parse(line);
      if (said.dashboard) resolve(said.dashboard);
    });
    ended.then((code) => reject(new Error(`punie serve ended with ${code}`)));
  });
  return { url, stop: () => { child.kill("SIGTERM"); return ended; } };
}

test("load, chat, look and unload on the real gateway", { skip: missing }, async () => {
  const folder = mkdtempSync(join(tmpdir(), "punie-dashboard-"));
  const gateway = await serve(folder);
  const context = await browser.newContext({ viewport: { width: 1360, height: 950 } });
  try {
    const tab = await context.newPage();
    const said = [];
    tab.on("console", (message) => said.push(message.text()));
    tab.on("pageerror", (error) => said.push(String(error)));
    await tab.goto(gateway.url);
    await tab.getByText("0 of 1 model ready").waitFor({ timeout: 30000 });
    await tab.getByRole("button", { name: "Load tiny" }).click();
    await tab.getByText("1 of 1 model ready").waitFor({ timeout: 30000 });
    await tab.getByRole("button", { name: "Logs of tiny" }).click();
    await tab.locator(".log", { hasText: "listening on" }).waitFor();
    await tab.getByLabel("Message").fill("What is the capital of France?");
    await tab.getByRole("button", { name: "Send" }).click();
    await tab.locator("[data-role=assistant] .note", { hasText: "first word" }).waitFor({ timeout: 30000 });
    assert.equal(await tab.locator("[data-role=assistant] .words").textContent(), "The capital of France is Paris.");
    await tab.locator(".finished tbody tr", { hasText: "tiny" }).first().waitFor();
    await tab.locator(".events li", { hasText: "ready" }).first().waitFor();
    assert.deepEqual(await accessibilityFaults(tab), []);
    await tab.getByRole("button", { name: "Unload tiny" }).click();
    await tab.getByText("0 of 1 model ready").waitFor({ timeout: 30000 });
    assert.deepEqual(said, []);
  } finally {
    await context.close();
    await gateway.stop();
    rmSync(folder, { recursive: true, force: true });
  }
});

test("without a key the real gateway shows nothing and the page asks", { skip: missing }, async () => {
  const folder = mkdtempSync(join(tmpdir(), "punie-dashboard-"));
  const gateway = await serve(folder);
  const context = await browser.newContext();
  try {
    const tab = await context.newPage();
    await tab.goto(gateway.url.split("#")[0]);
    await tab.getByRole("dialog", { name: "Key" }).waitFor();
    assert.equal(await tab.locator(".model").count(), 0);
    await tab.keyboard.type(gateway.url.split("#key=")[1]);
    await tab.keyboard.press("Enter");
    await tab.getByText("0 of 1 model ready").waitFor({ timeout: 30000 });
  } finally {
    await context.close();
    await gateway.stop();
    rmSync(folder, { recursive: true, force: true });
  }
});
