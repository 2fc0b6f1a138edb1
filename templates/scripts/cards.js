// Shows what a citation, a footnote or a reference stands for beside it, while it is pointed at or
// focused by key: the work that is cited, the note, a figure's pictures and caption, a table's
// caption, the equation itself.
// Without this script each is a link to it.
(() => {
  "use strict";

  const LINKS = "a.citation, a.reference, .footnote-ref a, a[href^='#citation-']";
  // A figure's pictures: the first of these that finds any.
  const PICTURES = [
    ".film :is(img, .absent)", ".compare img", ".scrubber-picture img", ".panel svg",
    ":scope > :is(img, svg, .absent)", "img, svg",
  ];
  const LEFT_OUT = ".figure-note, .back-links, .footnote-backref, annotation";
  const MARGIN = 12;

  let card = null;
  let owner = null;
  let closing = 0;

  const targetOf = (link) => {
    try {
      return document.getElementById(decodeURIComponent(link.hash.slice(1)));
    } catch {
      return null; // of "#50%", which stands for no id
    }
  };

  const copyOf = (node) => {
    const copy = node.cloneNode(true);
    if (copy.nodeType !== Node.ELEMENT_NODE) return copy;
    for (const element of [copy, ...copy.querySelectorAll("*")]) {
      for (const name of ["id", "tabindex", "aria-label"]) element.removeAttribute(name);
    }
    copy.querySelectorAll(LEFT_OUT).forEach((element) => element.remove());
    return copy;
  };

  const picturesOf = (figure) => {
    const found = PICTURES.map((wanted) => figure.querySelectorAll(wanted)).find((list) => list.length);
    if (!found) return [];
    const steps = figure.querySelectorAll(".film-step").length;
    const columns = steps || Math.min(found.length, 2);
    const box = document.createElement("div");
    box.className = found.length > 1 ? "card-pictures" : "card-pictures card-picture";
    box.setAttribute("aria-hidden", "true"); // the caption says it; the pictures' texts are long
    box.style.setProperty("--columns", columns);
    box.style.setProperty("--rows", Math.ceil(found.length / columns));
    for (const picture of found) {
      const copy = picture.cloneNode(true);
      if (copy instanceof HTMLImageElement) copy.loading = "eager";
      box.append(copy);
    }
    return [box];
  };

  // What a card shows of the thing that a link leads to; nothing for a section.
  const contentOf = (target, link) => {
    if (!target) return [];
    if (!link.matches(".reference")) return [...target.childNodes].map(copyOf);
    if (target.matches(".equation")) return [copyOf(target)];
    const caption = target.querySelector("figcaption, caption");
    if (!caption) return [];
    const words = document.createElement("div");
    words.append(...[...copyOf(caption).childNodes]);
    if (target.matches("table, .table")) return [words];
    if (target.matches(".listing")) return [words, copyOf(target.querySelector("pre"))];
    return [...picturesOf(target), words];
  };

  const close = () => {
    clearTimeout(closing);
    owner?.removeAttribute("aria-describedby");
    card?.remove();
    card = owner = null;
  };

  const isFocused = (link) => link !== null && link.matches(":focus-visible");

  const later = () => {
    clearTimeout(closing);
    closing = setTimeout(() => isFocused(owner) || close(), 250);
  };

  // Below the first line of the link, above it where there is more room; never past an edge.
  const place = (link) => {
    const box = link.getClientRects()[0];
    const { clientWidth, clientHeight } = document.documentElement;
    const left = Math.max(MARGIN, Math.min(box.left, clientWidth - card.offsetWidth - MARGIN));
    const isAbove = box.bottom + card.offsetHeight + MARGIN > clientHeight && box.top > clientHeight - box.bottom;
    const top = isAbove ? box.top - card.offsetHeight - 6 : box.bottom + 6;
    card.style.left = `${scrollX + left}px`;
    card.style.top = `${scrollY + Math.max(top, 6 - scrollY)}px`;
  };

  const open = (link) => {
    clearTimeout(closing);
    if (link === owner) return;
    const content = contentOf(targetOf(link), link);
    close();
    if (content.length === 0) return;
    owner = link;
    card = document.createElement("div");
    card.className = "card";
    card.id = "card.1"; // no id of a heading has a dot
    card.setAttribute("role", "note");
    card.append(...content);
    card.addEventListener("pointerenter", () => clearTimeout(closing));
    card.addEventListener("pointerleave", later);
    (document.querySelector("main") ?? document.body).append(card);
    link.setAttribute("aria-describedby", card.id);
    place(link);
  };

  // A finger that touches a link follows it: no card then, only for a pointer that rests or a key.
  document.querySelectorAll(LINKS).forEach((link) => {
    link.removeAttribute("title");
    link.addEventListener("pointerenter", (event) => event.pointerType !== "touch" && open(link));
    link.addEventListener("pointerleave", later);
    link.addEventListener("focus", () => isFocused(link) && open(link));
    link.addEventListener("blur", close);
    link.addEventListener("click", close);
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") close();
  });
})();
