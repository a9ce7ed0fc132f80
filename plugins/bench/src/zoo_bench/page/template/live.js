// A page that is served asks now and then whether its runs have moved on, and comes back as it was left.

const KEPT = "zoo report";
const stamp = document.body.dataset.live;
const forms = () => [...document.querySelectorAll("form.filter")];

function keep() {
  const open = [...document.querySelectorAll("details[id]")].filter((one) => one.open).map((one) => one.id);
  const fields = forms().map((form) => [...form.querySelectorAll("input, select")].map((field) => field.value));
  sessionStorage.setItem(KEPT, JSON.stringify({ open, fields, y: window.scrollY }));
}

function restore() {
  const kept = JSON.parse(sessionStorage.getItem(KEPT) || "null");
  sessionStorage.removeItem(KEPT);
  if (!kept) return;
  kept.open.forEach((id) => { const one = document.getElementById(id); if (one) one.open = true; });
  forms().forEach((form, place) => {
    form.querySelectorAll("input, select").forEach((field, number) => { field.value = (kept.fields[place] || [])[number] || ""; });
    form.dispatchEvent(new Event("input"));
  });
  window.scrollTo(0, kept.y);
}

async function look() {
  try {
    const now = await (await fetch("/version", { cache: "no-store" })).text();
    document.body.classList.remove("gone");
    if (now !== stamp) {
      keep();
      location.reload();
      return;
    }
  } catch {
    document.body.classList.add("gone"); // the server has ended; the page stays
  }
  setTimeout(look, 3000);
}

restore();
setTimeout(look, 3000);
