// SPDX-License-Identifier: MIT
// The operator console in Chromium, against the front of test_console.py. Speaks TAP. What the database must hold
// afterwards is asked by test_console.py.
import { createRequire } from "node:module";
import { mkdirSync, readFileSync } from "node:fs";

const modules = createRequire(process.env.MODULES + "/");
const { chromium } = modules("playwright-core");
const { HtmlValidate, StaticConfigLoader } = modules("html-validate");
const axe = readFileSync(modules.resolve("axe-core/axe.min.js"), "utf8");
const base = process.env.FRONT, shots = process.env.PAGES;
const payloads = JSON.parse(readFileSync(new URL("payloads.json", import.meta.url)));
const only = process.env.ONLY;
mkdirSync(shots, { recursive: true });

let number = 0, failed = 0;
function tell(good, what, why = []) {
  number += 1;
  failed += good ? 0 : 1;
  console.log(`${good ? "ok" : "not ok"} ${number} - ${what}`);
  if (!good) for (const line of [why].flat().slice(0, 40)) console.log("# " + String(line).replace(/\n/g, "\n# "));
}
async function test(what, run) {
  if (only && !what.includes(only)) return;
  try { const why = await run(); tell(!why || why.length === 0, what, why || []); } catch (error) { tell(false, what, error.stack || String(error)); }
}

const browser = await chromium.launch({ executablePath: process.env.CHROMIUM || "/usr/bin/chromium", args: ["--no-sandbox", "--disable-gpu"] });
async function person(name, role, more = {}) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, locale: "en", ...more });
  await context.addCookies([{ name: "operator", value: `${name}:${role}`, url: base }]);
  const page = await context.newPage();
  page.faults = [];
  page.on("pageerror", (error) => page.faults.push("error: " + error.message));
  page.on("console", (line) => { if (line.type() === "error" && !/status of 4\d\d/.test(line.text())) page.faults.push(line.text()); });
  page.on("dialog", (dialog) => { page.faults.push("dialog: " + dialog.message()); dialog.dismiss(); });
  return page;
}
const held = (page) => page.locator(".c-counts dd").first().innerText();
const current = (page) => page.evaluate(() => { const c = document.querySelector(".c-current"); return c && c.id; });

// Presses keys on the current card and waits until another one is current and the page is quiet.
async function decide(page, keys) {
  const before = await current(page);
  for (const key of keys) key.length === 1 ? await page.keyboard.press(key) : key === "Enter" ? await page.keyboard.press(key) : await page.keyboard.type(key);
  await page.waitForFunction((id) => { const c = document.querySelector(".c-current"); return !document.getElementById(id) && c !== null && !document.querySelector(".htmx-request"); }, before);
}

await test("20 holds by keys alone within a minute of script time: approve, ground with facts at hand, ground with facts typed", async () => {
  const page = await person("maija", "moderator");
  await page.goto(base + "/console/queue?product=keys");
  await page.waitForSelector(".c-current");
  const begun = Date.now();
  for (let i = 0; i < 20; i++) {
    const marked = await page.locator(".c-current mark").count();
    await decide(page, marked ? ["1"] : i % 3 === 0 ? ["2", "It is about the mug, not this.", "Enter"] : ["a"]);
  }
  const seconds = (Date.now() - begun) / 1000;
  console.log(`# 20 decisions in ${seconds.toFixed(1)} s`);
  const faults = page.faults;
  await page.context().close();
  return seconds < 60 ? faults : [`${seconds} s`].concat(faults);
});

await test("u takes the last decision back, j and k walk, ? tells the keys, x selects, / searches", async () => {
  const page = await person("maija", "moderator");
  await page.goto(base + "/console/queue?product=undo");
  await page.waitForSelector(".c-current");
  const first = await current(page);
  await decide(page, ["a"]);
  await page.keyboard.press("u");
  await page.waitForSelector("#" + first);
  await page.waitForSelector(".c-current");
  await page.keyboard.press("j");
  const second = await current(page);
  await page.keyboard.press("k");
  const again = await current(page);
  await page.keyboard.press("?");
  const open = await page.locator(".c-keys[open]").count();
  await page.keyboard.press("x");
  const picked = await page.locator(".c-current input[type=checkbox]:checked").count();
  await page.keyboard.press("/");
  const focus = await page.evaluate(() => document.activeElement.name);
  await page.context().close();
  return [second === again && "j does not walk", open !== 1 && "no help", picked !== 1 && "nothing selected", focus !== "product" && "no search: " + focus].filter(Boolean);
});

await test("the same without scripts: approve, refuse, together", async () => {
  const page = await person("maija", "moderator", { javaScriptEnabled: false });
  await page.goto(base + "/console/queue?product=plain");
  for (let i = 0; i < 6; i++) {
    const card = page.locator(".c-card").first();
    const id = await card.getAttribute("id");
    if (i % 2) {
      await card.locator("summary").click();
      await card.locator('input[value="wrong_product"]').check();
      await card.locator("textarea").fill("It is about another product.");
      await card.locator('button[value="reject"]').click();
    } else await card.locator('button[value="approve"]').click();
    await page.waitForSelector(".c-notice");
    if (await page.locator("#" + id).count()) return [id + " is still there"];
  }
  const boxes = page.locator(".c-card input[type=checkbox]");
  const n = await boxes.count();
  for (let i = 0; i < n; i++) await boxes.nth(i).check();
  await page.locator('#bulk > button[value="approve"]').click();
  const said = await page.locator(".c-notice").innerText();
  const left = await page.locator(".c-card").count();
  await page.context().close();
  return left === 0 && said.includes(String(n)) ? [] : [said, `${left} left`];
});

await test("two operators at once: the second is told, nothing happens twice", async () => {
  const one = await person("maija", "moderator"), two = await person("ilze", "manager");
  await one.goto(base + "/console/queue?product=both");
  await two.goto(base + "/console/queue?product=both");
  await one.waitForSelector(".c-current");
  await two.waitForSelector(".c-current");
  await decide(one, ["a"]);
  await two.keyboard.press("a");
  await two.waitForSelector(".c-fault");
  const said = await two.locator("main").innerText();
  await one.context().close();
  await two.context().close();
  return /maija/.test(said) && /quicker/.test(said) ? [] : [said];
});

for (const scripts of [true, false]) {
  await test(`an objection and a report are decided${scripts ? " by keys" : " without scripts"}; one's own decision is not judged by oneself`, async () => {
    const page = await person(scripts ? "ilze" : "maija", scripts ? "manager" : "moderator", { javaScriptEnabled: scripts });
    const other = scripts ? "maija" : "ilze", why = [];
    await page.goto(base + "/console/appeals");
    const own = page.locator(".c-card").filter({ has: page.locator(".c-bad", { hasText: "Your own decision" }) });
    if (await own.count()) {
      await own.first().locator('button[value="granted"]').click();
      await page.waitForSelector(".c-fault");
      if (!/somebody else decides/.test(await page.locator(".c-fault").innerText())) why.push("own decision judged");
      await page.goto(base + "/console/appeals");
    } else if (scripts) why.push("no decision of one's own in the list");
    const card = page.locator(".c-card").filter({ hasText: other }).first();
    await card.locator("textarea").first().fill("The words are strong, but no insult.");
    await card.locator('button[value="granted"]').click();
    await page.waitForSelector(".c-notice");
    await page.goto(base + "/console/reports");
    await page.waitForSelector(".c-card");
    const id = await page.locator(".c-card").first().getAttribute("id");
    await page.locator(".c-card textarea").first().fill("Only a first name; nothing private.");
    if (scripts) { await page.locator(".c-card").first().focus(); await page.keyboard.press("a"); }
    else await page.locator('.c-card button[value="kept"]').first().click();
    await page.waitForSelector(".c-notice");
    if (await page.locator("#" + id).count()) why.push("the report is still there");
    const second = page.locator(".c-card").first();
    await second.locator("select").selectOption("personal_data");
    await second.locator("textarea").fill("It names the driver.");
    await second.locator('button[value="removed"]').click();
    await page.waitForSelector(".c-notice");
    why.push(...page.faults);
    await page.context().close();
    return why;
  });
}

await test("words are hidden from a published review, and shown again by undoing", async () => {
  const page = await person("ilze", "manager"), why = [];
  await page.goto(base + "/console/reviews?product=pot&state=published");
  await page.locator(".c-list a").first().click();
  await page.waitForSelector("details.c-line");
  await page.locator("details.c-line summary").first().click();
  await page.fill('textarea[name="hide"]', "Robert Example");
  await page.fill('input[name="note"]', "name of a driver");
  await page.locator("details.c-line button").click();
  await page.waitForSelector(".c-notice");
  if ((await page.locator(".c-text + .c-note s, .c-note s").first().innerText()) !== "Robert Example") why.push("not hidden");
  await page.locator('main').focus().catch(() => {});
  await page.keyboard.press("u");
  await page.waitForFunction(() => !document.querySelector(".c-note s"));
  why.push(...page.faults);
  await page.context().close();
  return why;
});

await test("axe can find a fault", async () => {
  const page = await person("ilze", "manager");
  await page.goto(base + "/console/");
  await page.evaluate(() => { document.querySelector("main").append(document.createElement("img")); });
  await page.evaluate(axe);
  const found = await page.evaluate(() => axe.run(document, { resultTypes: ["violations"] }));
  await page.context().close();
  return found.violations.some((v) => v.id === "image-alt") ? [] : ["an image without a text was not noticed"];
});

await test("counts come alive without reloading", async () => {
  const page = await person("vera", "viewer");
  await page.goto(base + "/console/");
  await page.evaluate(() => { document.body.dataset.stays = "1"; });
  const before = await page.locator(".c-note time").first().getAttribute("datetime");
  await page.waitForFunction((old) => document.querySelector(".c-note time").getAttribute("datetime") !== old, before, { timeout: 40000 });
  const stays = await page.evaluate(() => document.body.dataset.stays);
  const faults = page.faults;
  await page.context().close();
  return stays === "1" ? faults : ["the page was loaded again"];
});

for (const scripts of [true, false]) {
  await test(`settings are changed${scripts ? "" : " without scripts"}: a rule refuses in words, then it is saved and undone`, async () => {
    const page = await person("ilze", "manager", { javaScriptEnabled: scripts });
    await page.goto(base + "/console/settings");
    await page.locator('a:text-is("request_policy")').click();
    await page.waitForSelector('a[href="?new=1"]');
    await page.locator('a[href="?new=1"]').click();
    await page.waitForSelector("#set-delay");
    await page.fill("#set-country", "EE");
    await page.fill("#set-delay", "900 days");
    await page.locator('button[value="save"]').click();
    await page.waitForSelector(".c-fault");
    const rule = await page.locator(".c-fault").innerText();
    await page.goto(base + "/console/settings/request_policy?new=1");
    await page.fill("#set-country", "EE");
    await page.fill("#set-delay", "5 days");
    await page.locator('button[value="save"]').click();
    await page.waitForSelector(".c-notice");
    const row = await page.locator("tbody tr").first().innerText();
    await page.locator("tbody tr button").first().click();
    await page.waitForSelector('button[value="remove"]');
    await page.locator('button[value="remove"]').click();
    await page.waitForSelector(".c-empty");
    await page.context().close();
    return /delay is sane/.test(rule) && /EE/.test(row) && /5 days/.test(row) ? [] : [rule, row];
  });
}

const pages = JSON.parse(process.env.ROUTES);

for (const theme of ["light", "dark"]) {
  for (const locale of ["en", "ar"]) {
    await test(`axe finds nothing on any page, ${theme}, ${locale === "ar" ? "right to left" : "left to right"}; nothing is wider than a phone`, async () => {
      const page = await person("ilze", "manager", { colorScheme: theme, locale });
      const why = [];
      for (const [name, target] of Object.entries(pages)) {
        const answer = await page.goto(base + target);
        if (answer.status() !== 200 && name !== "problem" && name !== "missing") why.push(`${name}: ${answer.status()}`);
        await page.evaluate(() => document.querySelectorAll("details").forEach((d) => { d.open = true; }));
        await page.evaluate(axe);
        const found = await page.evaluate(() => axe.run(document, { resultTypes: ["violations"] }));
        for (const v of found.violations) why.push(`${name}: ${v.id} ${v.nodes.slice(0, 2).map((n) => n.html.slice(0, 160) + " " + (n.any[0] ? n.any[0].message.slice(0, 160) : "")).join(" | ")}`);
        if (theme === "light") {
          await page.setViewportSize({ width: 390, height: 844 });
          const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
          if (wide > 1) why.push(`${name}: ${wide} px wider than a phone`);
          await page.setViewportSize({ width: 1280, height: 900 });
        }
      }
      why.push(...page.faults);
      await page.context().close();
      return why;
    });
  }
}

await test("html-validate finds nothing on any page, in any language", async () => {
  // Two buttons of one form share their name on purpose; a scrolling table is a region that is no section.
  const judge = new HtmlValidate(new StaticConfigLoader({ extends: ["html-validate:recommended"], rules: { "form-dup-name": "off", "prefer-native-element": "off" } }));
  const page = await person("ilze", "manager"), why = [];
  if ((await judge.validateString("<p><div></p>")).valid) why.push("it finds no fault in what is wrong");
  for (const [name, target] of Object.entries(pages)) {
    for (const lang of name === "queue" ? ["en", "es", "pt", "ar", "fa", "lv"] : ["lv"]) {
      const text = await (await page.request.get(`${base}${target}${target.includes("?") ? "&" : "?"}lang=${lang}`)).text();
      for (const m of (await judge.validateString(text)).results.flatMap((r) => r.messages)) why.push(`${name} ${lang} ${m.line}: ${m.ruleId} ${m.message}`);
      if (!new RegExp(`<html lang="${lang}"`).test(text)) why.push(`${name} is not in ${lang}`);
    }
  }
  await page.context().close();
  return why;
});

await test("each page is drawn at three widths", async () => {
  const page = await person("ilze", "manager"), dark = await person("ilze", "manager", { colorScheme: "dark", locale: "ar" });
  for (const [name, target] of Object.entries(pages)) {
    for (const width of [390, 768, 1280]) {
      await page.setViewportSize({ width, height: 900 });
      await page.goto(base + target);
      await page.screenshot({ path: `${shots}/console-${name}-${width}.png`, fullPage: width !== 1280 && name !== "queue" });
    }
    await dark.setViewportSize({ width: 390, height: 844 });
    await dark.goto(base + target);
    await dark.screenshot({ path: `${shots}/console-${name}-390-dark-ar.png` });
  }
  await page.context().close();
  await dark.context().close();
});

await test("300 payloads in every field lie still: no element, handler or address of theirs, and nothing for CSP to stop", async () => {
  const page = await person("ilze", "manager"), why = [];
  await page.addInitScript(() => { document.addEventListener("securitypolicyviolation", (e) => console.error("CSP: " + e.violatedDirective + " " + e.blockedURI)); });
  // In the page itself, where handlers would run; or, for the many, a text through the same parser.
  const judge = (text) => {
    const where = text === null ? document : new DOMParser().parseFromString(text, "text/html");
    const bad = [], fine = /^(html|head|meta|title|link|script|body|a|header|nav|ul|ol|li|p|main|h1|h2|div|dl|dt|dd|time|form|label|input|select|option|button|section|svg|rect|span|bdi|strong|mark|details|summary|fieldset|legend|kbd|small|textarea|footer|table|thead|tbody|tr|th|td|code|br|blockquote|s|pre)$/;
    for (const e of where.querySelectorAll("*")) {
      if (!fine.test(e.localName)) bad.push("element " + e.outerHTML.slice(0, 120));
      if (e.localName === "script" && !/\/assets\/(htmx|keys)\./.test(e.getAttribute("src") || "")) bad.push("script " + e.outerHTML.slice(0, 120));
      for (const a of e.attributes) {
        if (/^on|^style$|^srcdoc$|^hx-on|^data-hx/.test(a.name)) bad.push("attribute " + a.name + " of " + e.outerHTML.slice(0, 120));
        if (/^(href|src|action|formaction)$/.test(a.name) && new URL(a.value, location.href).origin !== location.origin && a.value !== "data:,") bad.push(a.name + " " + a.value);
      }
    }
    if (window.__hit) bad.push("ran: " + window.__hit);
    return bad;
  };
  const look = async (target) => {
    await page.goto(base + target);
    for (const f of await page.evaluate(judge, null)) why.push(`${target}: ${f}`);
    return page.locator(".c-next");
  };
  const parse = async (target) => {
    const text = await (await page.request.get(base + target)).text();
    for (const f of await page.evaluate(judge, text)) why.push(`${target}: ${f}`);
  };
  let seen = 0;
  const texts = new Set();
  for (const start of ["/console/queue?product=xss", "/console/reviews?product=xss"]) {
    for (let target = start, n = 0; target && n < 40; n++) {
      const next = await look(target);
      for (const t of await page.locator(".c-text, .c-wide, bdi").allTextContents()) texts.add(t.trim());
      seen += await page.locator(".c-card, .c-list > li").count();
      target = (await next.count()) ? start.split("?")[0] + (await next.first().getAttribute("href")) : null;
    }
  }
  for (const target of JSON.parse(process.env.HOSTILE)) await parse(target);
  for (const p of payloads) {
    const e = encodeURIComponent(p);
    if (!/[\u0000]/.test(p)) await parse(`/console/reviews?product=${e}&order=${e}&state=${e}&done=${e}&lang=${e}`).catch((error) => why.push(p + ": " + error.message));
  }
  console.log(`# ${seen} rows of hostile reviews looked at`);
  if (seen < 2 * payloads.length) why.push(`only ${seen} rows`);
  why.push(...page.faults);
  await page.context().close();
  return why;
});

await browser.close();
console.log(`1..${number}`);
process.exit(failed ? 1 : 0);
