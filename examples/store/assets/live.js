/* SPDX-License-Identifier: MIT */
/* Renews #live every two seconds; what the visitor has unfolded stays so. */
"use strict";
async function renew() {
  const live = document.getElementById("live");
  if (document.hidden || live.contains(document.activeElement) && getSelection().type === "Range") return;
  const answer = await fetch(location.href).catch(() => null);
  if (!answer || !answer.ok) return;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const fresh = page.getElementById("live");
  if (!fresh || fresh.innerHTML === live.dataset.last) return;
  const last = fresh.innerHTML;
  for (const open of live.querySelectorAll("details[open]")) {
    const same = fresh.querySelector(`details[data-key="${CSS.escape(open.dataset.key)}"]`);
    if (same) same.open = true;
  }
  live.innerHTML = fresh.innerHTML;
  live.dataset.last = last;
}
setInterval(renew, 2000);
