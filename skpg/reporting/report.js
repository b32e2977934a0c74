"use strict";
(() => {
  const id = (name) => document.getElementById(name);
  const { rows, page } = JSON.parse(id("candidates-data").textContent);
  const table = id("candidates-table");
  const heads = [...table.tHead.rows[0].cells];
  const names = heads.map((head) => head.textContent.toLowerCase());
  const [filter, count, more, copy] = ["filter", "count", "more", "copy"].map(id);
  let shown = page;
  let order = rows;

  // Numbers by size, then texts; what is empty comes last in either direction.
  const compare = (a, b) => {
    const [x, y] = [Number(a), Number(b)];
    if (!isNaN(x) && !isNaN(y)) return x - y;
    if (isNaN(x) !== isNaN(y)) return isNaN(x) ? 1 : -1;
    return a < b ? -1 : a > b ? 1 : 0;
  };
  const bare = (text) => text.replace(/^'|'$/g, "").toLowerCase();
  const holds = {
    "=": (a, b) => bare(a) === bare(b) || (a !== "" && Number(a) === Number(b)),
    "<": (a, b) => a !== "" && Number(a) < Number(b),
    ">": (a, b) => a !== "" && Number(a) > Number(b),
    "<=": (a, b) => a !== "" && Number(a) <= Number(b),
    ">=": (a, b) => a !== "" && Number(a) >= Number(b),
  };
  // A term is a comparison with a column, or a text that some cell has in it.
  const condition = (term) => {
    const [, name, relation, value] = term.match(/^(.+?)(<=|>=|=|<|>)(.+)$/) ?? [];
    const column = names.indexOf((name ?? "").toLowerCase());
    if (column >= 0) return (row) => holds[relation](row[column], value);
    return (row) => row.some((cell) => cell.toLowerCase().includes(term.toLowerCase()));
  };

  const show = () => {
    const terms = filter.value.split(/\s+/).filter(Boolean).map(condition);
    const found = order.filter((row) => terms.every((test) => test(row)));
    table.tBodies[0].replaceChildren(...found.slice(0, shown).map((cells) => {
      const row = document.createElement("tr");
      for (const cell of cells) row.insertCell().textContent = cell;
      return row;
    }));
    count.textContent = `${found.length} of ${rows.length}`;
    more.hidden = found.length <= shown;
  };
  const sort = (column) => {
    const head = heads[column];
    const sign = head.getAttribute("aria-sort") === "descending" ? 1 : -1;
    heads.forEach((other) => other.removeAttribute("aria-sort"));
    head.setAttribute("aria-sort", sign > 0 ? "ascending" : "descending");
    order = [...rows].sort((a, b) => {
      const [x, y] = [a[column], b[column]];
      if (x === "" || y === "") return (x === "") - (y === "");
      return sign * compare(x, y);
    });
    show();
  };

  heads.forEach((head, k) => head.firstChild.addEventListener("click", () => sort(k)));
  filter.addEventListener("input", () => { shown = page; show(); });
  more.addEventListener("click", () => { shown += 4 * page; show(); });
  document.querySelector(".tools").hidden = false;
  show();

  if (!copy) return;
  copy.hidden = false;
  copy.addEventListener("click", async () => {
    const code = id("code");
    try {
      await navigator.clipboard.writeText(code.textContent);
    } catch {
      // without the permission, or the means: what is selected can be copied by hand
      getSelection().selectAllChildren(code);
      document.execCommand("copy");
    }
    copy.textContent = "Copied";
    setTimeout(() => { copy.textContent = "Copy"; }, 1500);
  });
})();
