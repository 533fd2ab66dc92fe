"use strict";
// Sorts tables by a click on a heading (or its key), shows lines of one status alone, unfolds tables for a printer.
for (const table of document.querySelectorAll("table.sortable")) {
  const body = table.tBodies[0];
  [...body.rows].forEach((row, index) => { row.dataset.index = index; });
  const heads = [...table.tHead.rows[0].cells];
  heads.forEach((head, column) => head.querySelector("button").addEventListener("click", () => {
    const down = head.getAttribute("aria-sort") === "ascending";
    heads.forEach(h => h.setAttribute("aria-sort", "none"));
    head.setAttribute("aria-sort", down ? "descending" : "ascending");
    const rows = [...body.rows].map(row => ({ row, index: Number(row.dataset.index), value: valueOf(row.cells[column]) }));
    rows.sort((a, b) => order(a.value, b.value, down ? -1 : 1) || a.index - b.index);
    body.append(...rows.map(r => r.row));
  }));
}

function valueOf(cell) {
  if (cell.dataset.value !== undefined) {
    return Number(cell.dataset.value);
  }
  const text = cell.textContent.trim();
  return text === "" ? null : text;
}

// Empty cells stay at the end, whichever way the others are sorted; numbers come before words.
function order(a, b, sign) {
  if (a === null || b === null) {
    return (a === null) - (b === null);
  }
  if (typeof a !== typeof b) {
    return typeof a === "number" ? -1 : 1;
  }
  return sign * (typeof a === "number" ? a - b : a < b ? -1 : a > b ? 1 : 0);
}

const filter = document.getElementById("filter");
filter.hidden = false;
filter.addEventListener("change", () => {
  const status = filter.querySelector("input:checked").value;
  const keeps = element => status === "" || element.dataset.status.split(" ").includes(status);
  for (const section of document.querySelectorAll("section.folder")) {
    for (const block of section.querySelectorAll(".values")) {
      const rows = [...block.querySelectorAll("tbody tr")];
      rows.forEach(row => { row.hidden = !keeps(row); });
      block.hidden = rows.every(row => row.hidden);
      const fold = block.closest("details");
      if (fold !== null && status !== "") {
        fold.open = !block.hidden;
      }
    }
    section.hidden = !keeps(section);
  }
  for (const entry of document.querySelectorAll("nav li")) {
    entry.hidden = !keeps(entry);
  }
});

let unfolded = [];
addEventListener("beforeprint", () => {
  unfolded = [...document.querySelectorAll("details.fold:not([open])")];
  unfolded.forEach(d => { d.open = true; });
});
addEventListener("afterprint", () => unfolded.forEach(d => { d.open = false; }));
