// SPDX-License-Identifier: MIT
// Customers' and readers' pages in Chromium, without scripts, against the front of test_customer.py. Speaks TAP.
import { createRequire } from "node:module";
import { mkdirSync, readFileSync } from "node:fs";

const modules = createRequire(process.env.MODULES + "/");
const { chromium } = modules("playwright-core");
const axe = readFileSync(modules.resolve("axe-core/axe.min.js"), "utf8");
const base = process.env.FRONT, shots = process.env.PAGES, only = process.env.ONLY;
const pages = JSON.parse(process.env.ROUTES);
mkdirSync(shots, { recursive: true });

let number = 0, failed = 0;
async function test(what, run) {
  if (only && !what.includes(only)) return;
  let why;
  try { why = (await run()) || []; } catch (error) { why = [error.stack || String(error)]; }
  number += 1;
  failed += why.length ? 1 : 0;
  console.log(`${why.length ? "not ok" : "ok"} ${number} - ${what}`);
  for (const line of why.slice(0, 40)) console.log("# " + String(line).replace(/\n/g, "\n# "));
}
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM || "/usr/bin/chromium", args: ["--no-sandbox", "--disable-gpu"] });
// A fault is whatever the browser complains about, a Content-Security-Policy that had to stop something included.
async function reader(more = {}) {
  const context = await browser.newContext({ viewport: { width: 390, height: 844 }, locale: "en", ...more });
  const page = await context.newPage();
  page.faults = [];
  page.on("pageerror", (error) => page.faults.push("error: " + error.message));
  page.on("console", (line) => { if (line.type() === "error" && !/status of 4\d\d/.test(line.text())) page.faults.push(line.text()); });
  page.on("dialog", (dialog) => { page.faults.push("dialog: " + dialog.message()); dialog.dismiss(); });
  return page;
}
const bypass = { bypassCSP: true }; // for axe, which is a script
const focused = (page) => page.evaluate(() => { const e = document.activeElement; return { tag: e.tagName, name: e.name || "", type: e.type || "", value: e.value || "", checked: !!e.checked }; });

await test("a customer on a phone in Arabic reviews two items by keyboard alone, without scripts; the draft is kept on error", async () => {
  const page = await reader({ ...bypass, locale: "ar", hasTouch: true, isMobile: true });
  const why = [];
  await page.goto(base + process.env.ARABIC);
  if (await page.evaluate(() => document.documentElement.dir + document.documentElement.lang) !== "rtlar") why.push("not right to left");
  async function to(wanted) {
    for (let i = 0; i < 40; i++) {
      const at = await focused(page);
      if (wanted(at)) return at;
      await page.keyboard.press("Tab");
    }
    throw new Error("the keyboard never reaches " + wanted);
  }
  const submit = (at) => at.tag === "BUTTON" && at.type === "submit";
  await to((at) => at.name === "title.1");
  await page.keyboard.type("عنوان");
  await to(submit);
  await page.keyboard.press("Enter");
  await page.waitForSelector(".v-errors");
  if (await page.locator("[name='title.1']").inputValue() !== "عنوان") why.push("the draft is lost");
  for (const [line, stars, text] of [["1", 4, "غلاية ممتازة"], ["2", 2, "الفنجان صغير"]]) {
    await page.evaluate(() => { document.activeElement.blur(); });
    await to((at) => at.name === "rating." + line);
    await page.keyboard.press("Space");
    for (let i = 0; i < 8 && (await focused(page)).value !== String(stars); i++) await page.keyboard.press("ArrowDown");
    if (!(await focused(page)).checked) why.push("no star is chosen by the arrow keys");
    const outlined = await page.evaluate(() => { return getComputedStyle(document.activeElement.closest("label")).outlineStyle === "solid"; });
    if (!outlined) why.push("the focus on a star is not to be seen");
    await to((at) => at.name === "body." + line);
    await page.keyboard.type(text);
  }
  await page.screenshot({ path: `${shots}/customer-form-filled-390-ar-light.png`, fullPage: true });
  await to(submit);
  await page.keyboard.press("Enter");
  await page.waitForLoadState();
  await page.screenshot({ path: `${shots}/customer-thanks-390-ar-light.png`, fullPage: true });
  if (await page.locator("a[href*='/a/']").count() !== 2) why.push("no links to the two reviews: " + (await page.innerText("main")));
  why.push(...page.faults);
  await page.context().close();
  return why;
});

await test("axe can find a fault", async () => {
  const page = await reader(bypass);
  await page.goto(base + pages.form);
  await page.evaluate(() => { document.querySelector("main").append(document.createElement("img")); });
  await page.evaluate(axe);
  const found = await page.evaluate(() => axe.run(document, { resultTypes: ["violations"] }));
  await page.context().close();
  return found.violations.some((v) => v.id === "image-alt") ? [] : ["an image without a text was not noticed"];
});

for (const theme of ["light", "dark"]) {
  for (const locale of ["en", "ar"]) {
    await test(`axe finds nothing on any page, ${theme}, ${locale}; nothing is wider than a phone; screenshots`, async () => {
      const page = await reader({ ...bypass, colorScheme: theme, locale });
      const why = [];
      for (const [name, target] of Object.entries(pages)) {
        const answer = await page.goto(base + target + (target.includes("?") ? "&" : "?") + "lang=" + locale);
        if (answer.status() !== (name === "missing" ? 404 : 200)) why.push(`${name}: ${answer.status()}`);
        const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
        if (wide > 1) why.push(`${name}: ${wide} px wider than a phone`);
        for (const width of [390, 768, 1280]) {
          await page.setViewportSize({ width, height: 844 });
          await page.screenshot({ path: `${shots}/customer-${name}-${width}-${locale}-${theme}.png`, fullPage: true });
        }
        await page.setViewportSize({ width: 390, height: 844 });
        await page.evaluate(() => document.querySelectorAll("details").forEach((d) => { d.open = true; }));
        await page.evaluate(axe);
        const found = await page.evaluate(() => axe.run(document, { resultTypes: ["violations"] }));
        for (const v of found.violations) why.push(`${name}: ${v.id} ${v.nodes.slice(0, 2).map((n) => n.html.slice(0, 160) + " " + (n.any[0] ? n.any[0].message.slice(0, 160) : "")).join(" | ")}`);
        if (name === "form") {
          await page.locator("button[type=submit]").click();
          await page.waitForSelector(".v-errors");
          await page.screenshot({ path: `${shots}/customer-form-error-390-${locale}-${theme}.png`, fullPage: true });
          await page.evaluate(axe);
          const refused = await page.evaluate(() => axe.run(document, { resultTypes: ["violations"] }));
          for (const v of refused.violations) why.push(`${name} refused: ${v.id} ${v.nodes[0].html.slice(0, 160)}`);
        }
      }
      why.push(...page.faults);
      await page.context().close();
      return why;
    });
  }
}

await test("html-validate finds nothing", async () => {
  const { HtmlValidate } = modules("html-validate");
  const rules = new HtmlValidate({ root: true, extends: ["html-validate:recommended"], rules: {
    "no-trailing-whitespace": "off", "void-style": ["error", { style: "omit" }], "long-title": "off", "require-sri": "off" } });
  const why = [];
  for (const [name, target] of Object.entries(pages)) {
    const text = await (await fetch(base + target)).text();
    const report = await rules.validateString(text, name);
    for (const r of report.results) for (const m of r.messages) why.push(`${name}:${m.line} ${m.ruleId} ${m.message} ${text.split("\n")[m.line - 1].slice(0, 120)}`);
  }
  return why;
});

await test("hostile words in every field stand there as words; nothing runs, nothing is loaded, and no page has a script", async () => {
  const hostile = JSON.parse(readFileSync(process.env.HOSTILE, "utf8"));
  const page = await reader(bypass);
  await page.goto(base + pages.form);
  const why = [];
  console.log(`# ${hostile.length} pages`);
  for (const [name, html] of hostile) {
    const found = await page.evaluate(([text, data]) => {
      const d = new DOMParser().parseFromString(text, "text/html"), bad = [];
      const known = new Set("html head meta title link body header main footer nav section aside article h1 h2 h3 p ul ol li a strong small bdi span div form fieldset legend label input textarea button details summary time br blockquote meter select option".split(" "));
      for (const e of d.querySelectorAll("*")) {
        const tag = e.localName;
        if (!known.has(tag) && !(data && tag === "script" && e.type === "application/ld+json")) bad.push("<" + tag + ">");
        for (const a of e.attributes) {
          if (/^on/i.test(a.name) || a.name === "style" || a.name === "srcdoc") bad.push(tag + " " + a.name);
          if (["href", "src", "action", "formaction", "data", "poster", "xlink:href"].includes(a.name) && /^\s*[a-z]+:/i.test(a.value.replace(/[\t\n\r]/g, "")) && !/^http:\/\/127\.0\.0\.1/.test(a.value)) bad.push(tag + " " + a.name + "=" + a.value);
        }
      }
      if (data && (!d.getElementById("end") || d.scripts.length !== 1)) bad.push("the data ended early");
      if (data) JSON.parse(d.scripts[0].text);
      return bad;
    }, [html, name.startsWith("jsonld")]);
    if (found.length) why.push(`${name}: ${found.slice(0, 4).join(", ")}`);
  }
  for (const [name, html] of hostile.filter((h, i) => i % 40 === 0)) {
    await page.setContent(html, { waitUntil: "commit" });
    if (await page.evaluate(() => window.__hit)) why.push(`${name} ran`);
  }
  why.push(...page.faults.filter((f) => !/Failed to load resource|ERR_/.test(f)));
  await page.context().close();
  return why;
});

console.log(`1..${number}`);
await browser.close();
process.exit(failed ? 1 : 0);
