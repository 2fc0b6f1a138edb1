// On a wide screen, sets the reference or footnote that a line names beside that line, in the margin.
// Without this script, and where there is no room, they stand at the end as they always do.
(() => {
  "use strict";

  const wide = matchMedia("(min-width: 75rem)");
  const GAP = 12;
  let notes = [];

  const targetOf = (link) => {
    try {
      return document.getElementById(decodeURIComponent(link.hash.slice(1)));
    } catch {
      return null; // of "#50%", which stands for no id
    }
  };

  const firstMentions = (article) => {
    const seen = new Set();
    const links = article.querySelectorAll(":is(p, li, dd) :is(a.citation, .footnote-ref a)");
    return [...links].filter((link) => {
      if (link.closest("details:not([open])")) return false;
      const isFirst = !seen.has(link.hash) && targetOf(link) && !link.closest("figure, .references");
      seen.add(link.hash);
      return isFirst;
    });
  };

  const makeNote = (link) => {
    const note = document.createElement("div");
    note.className = "side-note";
    note.setAttribute("aria-hidden", "true");
    note.style.top = 0;
    if (!targetOf(link).textContent.trim().startsWith("[")) {
      const mark = document.createElement("span");
      mark.className = "side-mark";
      mark.textContent = link.textContent;
      note.append(mark);
    }
    for (const node of targetOf(link).childNodes) note.append(node.cloneNode(true));
    note.querySelectorAll("[id]").forEach((element) => element.removeAttribute("id"));
    const focusable = note.querySelectorAll("a, button, input, select, summary, textarea, [tabindex]");
    focusable.forEach((element) => element.setAttribute("tabindex", "-1"));
    for (const element of note.querySelectorAll(".doi, .arxiv, .back-links, .footnote-backref")) {
      const after = element.nextSibling;
      if (after?.nodeType === Node.TEXT_NODE && /^[.\s]*$/.test(after.textContent)) after.remove();
      element.remove();
    }
    return note;
  };

  const place = (article) => {
    notes.forEach((note) => note.remove());
    notes = [];
    if (!wide.matches) return;
    const nav = article.querySelector(".contents-margin");
    article.classList.remove("crowded");
    const text = article.querySelector(":scope > p")?.getBoundingClientRect();
    if (!text) return;
    const gutter = parseFloat(getComputedStyle(document.documentElement).fontSize) * 2.5;
    const isRightToLeft = getComputedStyle(article).direction === "rtl";
    const reaches = (box) => isRightToLeft ? box.left < text.left - gutter : box.right > text.right + gutter;
    const others = [...article.children].filter((child) => child !== nav);
    const boxes = () => others.map((child) => child.getBoundingClientRect()).filter(reaches);
    let list = nav && [nav.getBoundingClientRect().top, nav.lastElementChild.getBoundingClientRect().bottom];
    if (list && boxes().some((box) => box.bottom > list[0] && box.top < list[1])) {
      article.classList.add("crowded"); // the list folds, as on a phone, where it would lie over a block
      list = null;
    }
    const sheet = article.getBoundingClientRect();
    const taken = boxes().map((box) => [box.top, box.bottom]);
    if (list) taken.push(list);
    for (const link of firstMentions(article)) {
      const note = makeNote(link);
      article.append(note);
      const left = isRightToLeft ? text.left - gutter - note.offsetWidth : text.right + gutter;
      note.style.left = `${left - sheet.left}px`;
      let top = link.getBoundingClientRect().top;
      const height = note.offsetHeight;
      const previous = notes.at(-1)?.getBoundingClientRect();
      if (previous) top = Math.max(top, previous.bottom + GAP);
      const isFree = taken.every(([from, to]) => top + height + GAP < from || top > to + GAP);
      const isNear = top - link.getBoundingClientRect().top < 160;
      if (isFree && isNear) {
        note.style.top = `${top - sheet.top}px`;
        notes.push(note);
      } else {
        note.remove();
      }
    }
  };

  const article = document.querySelector("article.sheet");
  if (!article) return;
  let last = 0;
  const again = () => {
    const width = document.documentElement.clientWidth;
    if (width === last) return;
    last = width;
    place(article);
  };
  addEventListener("resize", again);
  article.addEventListener("toggle", () => place(article), true); // what unfolds moves the rest
  document.fonts.ready.then(again);
})();
