// Opens /docs in a browser, as a person would, and sends requests from it.
//
//   node docs_page_test.mjs PROGRAM [ARGUMENT…]
//
// The program is a service with the shields routes. It listens at $PORT, prints the address of its
// page, and ends on SIGTERM. Skipped (exit code 77) where there is no chromium, save in CI.
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import assert from "node:assert/strict";

const chromium_path = "/usr/bin/chromium";
const limit = 60_000; // milliseconds until something that should happen counts as failed

if (!existsSync(chromium_path)) {
  console.log(`there is no ${chromium_path}: apt-get install chromium`);
  process.exit(process.env.CI ? 1 : 77);
}
const require = createRequire(join(process.env.NODE_PACKAGES, "x.js"));
const { chromium } = require("playwright-core");

async function freePort() {
  const probe = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => probe.once("listening", resolve));
  const { port } = probe.address();
  await new Promise((resolve) => probe.close(resolve));
  return port;
}

/** The address of the page, once the program has printed it. */
function pageOf(service) {
  return new Promise((resolve, reject) => {
    let printed = "";
    service.stdout.on("data", (piece) => {
      printed += piece;
      const address = printed.match(/http:\/\/\S+\/docs\b/);
      if (address) resolve(address[0]);
    });
    service.once("exit", (code) => reject(new Error(`the service ended (${code}): ${printed}`)));
  });
}

const directory = mkdtempSync(join(tmpdir(), "docs-page-test-"));
const [program, ...options] = process.argv.slice(2);
const service = spawn(program, options, {
  cwd: directory,
  env: { ...process.env, PORT: String(await freePort()) },
  stdio: ["ignore", "pipe", "inherit"],
});
const ended = new Promise((resolve) => service.once("exit", resolve));
let browser;

try {
  const address = await pageOf(service);
  browser = await chromium.launch({
    executablePath: chromium_path,
    args: [
      "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
      "--disable-background-networking", "--disable-component-update", "--disable-sync",
    ],
  });
  const page = await browser.newPage();
  page.setDefaultTimeout(limit);

  const complaints = [];
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type())) complaints.push(message.text());
  });
  page.on("pageerror", (error) => complaints.push(String(error)));
  const hosts = new Set();
  page.on("request", (request) => {
    const url = new URL(request.url());
    if (url.protocol !== "data:") hosts.add(url.host);
  });

  await page.goto(address);
  const operation = (method, path) =>
    page.locator(".opblock", {
      has: page.locator(`.opblock-summary-method:text-is("${method}")`),
    }).filter({ has: page.locator(`[data-path="${path}"]`) });

  for (const [method, path] of [["POST", "/shields"], ["GET", "/shields"], ["GET", "/shields/{id}"]]) {
    await operation(method, path).waitFor();
  }

  /** Sends a request from the page; answers the status and body it shows. */
  async function tryOut(method, path, body) {
    const block = operation(method, path);
    await block.locator(".opblock-summary-control").click();
    await block.getByRole("button", { name: "Try it out" }).click();
    if (body) await block.locator("textarea.body-param__text").fill(body);
    await block.getByRole("button", { name: "Execute" }).click();
    const live = block.locator(".live-responses-table .response");
    await live.waitFor();
    return {
      status: (await live.locator(".response-col_status").innerText()).trim().split(/\s/)[0],
      text: await live.locator(".highlight-code code").first().innerText(),
    };
  }

  const forged = await tryOut("POST", "/shields", '{"name": "Dragon Scale"}');
  assert.equal(forged.status, "201");
  assert.match(forged.text, /"name": "Dragon Scale"/);
  const listed = await tryOut("GET", "/shields");
  assert.equal(listed.status, "200");
  assert.match(listed.text, /"name": "Dragon Scale"/);

  if (process.env.SCREENSHOT) await page.screenshot({ path: process.env.SCREENSHOT, fullPage: true });
  assert.deepEqual(complaints, []);
  assert.deepEqual([...hosts], [new URL(address).host]);
  console.log("the page shows the operations and sends requests");
} finally {
  await browser?.close();
  service.kill("SIGTERM");
  await ended;
  rmSync(directory, { recursive: true });
}
