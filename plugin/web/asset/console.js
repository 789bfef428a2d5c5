/* SPDX-License-Identifier: MIT */
/* Keys for the console: a letter or digit presses what carries it as data-key, first inside the
   current card, then on the page. Nothing here decides anything; without it all forms work. */
(function () {
  "use strict";
  var current = null;

  function cards() { return Array.prototype.slice.call(document.querySelectorAll("[data-card]")); }

  function choose(card, scroll) {
    if (current) { current.classList.remove("c-current"); }
    current = card;
    if (!card) { return; }
    card.classList.add("c-current");
    card.focus({ preventScroll: true });
    if (scroll) { card.scrollIntoView({ block: "start" }); }
  }

  function begin() {
    var here = document.querySelector(".c-menu [aria-current]");
    if (here) { here.scrollIntoView({ block: "nearest", inline: "center" }); }
    var all = cards();
    var wanted = document.querySelector("[data-current]") || all[0] || null;
    current = null;
    choose(wanted, wanted !== null && wanted !== all[0]);
  }

  function step(by) {
    var all = cards();
    var at = all.indexOf(current);
    var to = at < 0 ? 0 : Math.min(Math.max(at + by, 0), all.length - 1);
    if (all.length) { choose(all[to], true); }
  }

  function find(key) {
    var selector = '[data-key="' + key + '"]';
    return (current && current.querySelector(selector)) || document.querySelector(selector);
  }

  /* A ground: with facts at hand it is sent, without it waits for them in the field. */
  function ground(radio) {
    var form = radio.form;
    var details = radio.closest("details");
    var facts = form.querySelector("textarea");
    var send = form.querySelector('button[value="reject"]');
    if (details) { details.open = true; }
    radio.checked = true;
    if (!facts.value && radio.dataset.ready) { facts.value = radio.dataset.ready; send.click(); }
    else { facts.focus(); }
  }

  function press(target) {
    if (target.matches('input[type="radio"]')) { ground(target); }
    else if (target.matches('input[type="search"], input[type="text"], input[type="email"]')) { target.focus(); target.select(); }
    else if (target.tagName === "SUMMARY") { target.click(); target.focus(); }
    else { target.click(); }
  }

  function typing(target) {
    return target.matches && target.matches('input:not([type="checkbox"]):not([type="radio"]), textarea, select');
  }

  document.addEventListener("keydown", function (event) {
    if (event.defaultPrevented || event.ctrlKey || event.altKey || event.metaKey || event.isComposing) { return; }
    if (typing(event.target)) {
      if (event.key === "Escape") { event.target.blur(); choose(current, false); }
      if (event.key === "Enter" && !event.shiftKey && event.target.matches(".c-reject textarea")) {
        event.preventDefault();
        event.target.form.querySelector('button[value="reject"]').click();
      }
      return;
    }
    if (event.key === "j" || event.key === "k") { step(event.key === "j" ? 1 : -1); event.preventDefault(); return; }
    if (event.repeat || !/^[a-z0-9/?]$/.test(event.key)) { return; }
    var target = find(event.key);
    if (target) { event.preventDefault(); press(target); }
  });

  document.addEventListener("focusin", function (event) {
    var card = event.target.closest && event.target.closest("[data-card]");
    if (card && card !== current) { choose(card, false); event.target.focus({ preventScroll: true }); }
  });

  function say(name) {
    var place = document.querySelector(".c-slow");
    if (place) { place.textContent = name ? place.dataset[name] : ""; }
  }
  var waiting = 0;
  document.addEventListener("htmx:beforeRequest", function () {
    window.clearTimeout(waiting);
    waiting = window.setTimeout(function () { say("slow"); document.body.classList.add("c-waiting"); }, 600);
  });
  document.addEventListener("htmx:afterRequest", function () {
    window.clearTimeout(waiting);
    document.body.classList.remove("c-waiting");
    say("");
  });
  document.addEventListener("htmx:sendError", function () { say("failed"); });
  document.addEventListener("htmx:timeout", function () { say("failed"); });
  document.addEventListener("htmx:afterSettle", function (event) { if (event.target === document.body) { begin(); } });
  if (document.readyState === "loading") { document.addEventListener("DOMContentLoaded", begin); } else { begin(); }
}());
