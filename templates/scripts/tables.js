// Lets a table be sorted by any of its columns of numbers or names; its last row, the mean, stays.
(() => {
  "use strict";

  const valueOf = (row, index) => {
    const text = row.cells[index].textContent.trim().normalize("NFKC");
    const number = parseFloat(text.replace("×10", "e").replaceAll("\u2212", "-"));
    return Number.isNaN(number) ? text.toLowerCase() : number;
  };

  const compare = (a, b) => {
    if (typeof a === typeof b) return a < b ? -1 : a > b ? 1 : 0;
    return typeof a === "number" ? -1 : 1;
  };

  const start = (table) => {
    const body = table.tBodies[0];
    const original = [...body.rows];
    const fixed = original.filter((row) => row.classList.contains("mean"));
    const heads = [...table.tHead.rows[0].cells];
    let index = 0;
    heads.forEach((head) => {
      const column = index + head.colSpan - 1;
      index += head.colSpan;
      if (head.classList.contains("plot")) return;
      const button = document.createElement("button");
      button.type = "button";
      button.className = "sort";
      button.append(...head.childNodes);
      head.append(button);
      button.addEventListener("click", () => sort(head, column));
    });

    // Numbers begin with the highest, words with the first of the alphabet; the third press undoes.
    const sort = (head, column) => {
      const orders = ["descending", "ascending"];
      if (!head.classList.contains("number")) orders.reverse();
      const next = orders[orders.indexOf(head.getAttribute("aria-sort")) + 1];
      heads.forEach((other) => other.removeAttribute("aria-sort"));
      let rows = original.filter((row) => !fixed.includes(row));
      if (next) {
        head.setAttribute("aria-sort", next);
        const sign = next === "ascending" ? 1 : -1;
        rows = rows
          .map((row) => [valueOf(row, column), row])
          .sort(([a], [b]) => (typeof a === typeof b ? sign : 1) * compare(a, b)) // words stay last
          .map(([, row]) => row);
      }
      body.append(...rows, ...fixed);
    };
  };

  document.querySelectorAll("table[data-sortable]").forEach(start);
})();
