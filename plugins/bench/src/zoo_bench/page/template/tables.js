"use strict";
// Sorting and filtering of the tables; without a script they are whole, in the order of the papers.

function sortable(table) {
  const heads = [...table.tHead.rows[0].cells];
  heads.forEach((head, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => {
      const down = head.getAttribute("aria-sort") === "ascending";
      heads.forEach((other) => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", down ? "descending" : "ascending");
      const body = table.tBodies[0];
      const key = (row) => row.cells[column].textContent.trim();
      const order = new Intl.Collator("en", { numeric: true });
      const rows = [...body.rows].map((row) => [key(row), row]);
      rows.sort(([a], [b]) => {
        if (!a || !b) return (a ? 0 : 1) - (b ? 0 : 1); // what is empty comes last, either way
        const [x, y] = [Number(a), Number(b)];
        const by = Number.isNaN(x) || Number.isNaN(y) ? order.compare(a, b) : x - y;
        return down ? -by : by;
      });
      body.append(...rows.map(([, row]) => row));
    });
  });
}

function matches(text, words) {
  const low = text.toLowerCase();
  return words.toLowerCase().split(/\s+/).every((word) => low.includes(word));
}

function filtering(form) {
  const output = form.querySelector("output");
  const table = document.getElementById(form.dataset.table || "");
  const items = table ? [...table.tBodies[0].rows] : [...document.querySelectorAll("#runs details.group")];
  const text = new Map();
  const whole = output.textContent;
  const show = () => {
    const words = form.elements.words.value.trim();
    const answer = form.elements.answer ? form.elements.answer.value : "";
    const state = form.elements.state ? form.elements.state.value : "";
    let count = 0;
    items.forEach((item) => {
      if (!text.has(item)) text.set(item, item.textContent);
      const on = (!words || matches(text.get(item), words)) && (!answer || item.dataset.answer === answer) &&
        (!state || item.dataset.states.split(" ").includes(state));
      item.hidden = !on;
      count += on;
    });
    document.querySelectorAll("section.environment").forEach((section) => {
      section.hidden = !section.querySelector("details.group:not([hidden])");
    });
    output.textContent = count === items.length ? whole : `${count} of ${items.length}`;
  };
  form.addEventListener("input", show);
  form.addEventListener("submit", (event) => event.preventDefault());
}

document.querySelectorAll("table.sortable").forEach(sortable);
document.querySelectorAll("form.filter").forEach(filtering);

function reveal() {
  const target = location.hash.length > 1 && document.getElementById(location.hash.slice(1));
  for (let at = target; at; at = at.parentElement) if (at.tagName === "DETAILS") at.open = true;
}
window.addEventListener("hashchange", reveal);
reveal();
window.addEventListener("beforeprint", () => {
  document.querySelectorAll("#papers details, #runs details.group").forEach((one, place) => {
    if (place < 100) one.open = true;
  });
});
