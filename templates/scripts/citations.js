// Shows the reference that a citation stands for beside it, while it is pointed at or focused.
// Without this script the citation is a link to the list of references.
(() => {
  "use strict";

  let card = null;
  let closing = 0;

  const close = () => {
    card?.remove();
    card = null;
  };

  const open = (link) => {
    const reference = document.getElementById(decodeURIComponent(link.hash.slice(1)));
    if (!reference) return;
    close();
    card = document.createElement("div");
    card.className = "card";
    card.setAttribute("role", "note");
    for (const node of reference.childNodes) card.append(node.cloneNode(true));
    card.querySelectorAll("[id]").forEach((element) => element.removeAttribute("id"));
    card.addEventListener("pointerenter", () => clearTimeout(closing));
    card.addEventListener("pointerleave", later);
    document.body.append(card);
    const box = link.getBoundingClientRect();
    const room = document.documentElement.clientWidth - card.offsetWidth - 12;
    card.style.left = `${scrollX + Math.max(12, Math.min(box.left, room))}px`;
    card.style.top = `${scrollY + box.bottom + 6}px`;
  };

  const later = () => {
    clearTimeout(closing);
    closing = setTimeout(close, 250);
  };

  document.querySelectorAll("a.citation, a[href^='#citation-']").forEach((link) => {
    link.removeAttribute("title");
    link.addEventListener("pointerenter", (event) => {
      clearTimeout(closing);
      if (event.pointerType !== "touch") open(link);
    });
    link.addEventListener("pointerleave", later);
    link.addEventListener("focus", () => open(link));
    link.addEventListener("blur", close);
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") close();
  });
})();
