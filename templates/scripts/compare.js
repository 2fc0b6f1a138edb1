// Compares outputs of a run through one lens. Two of one shape are laid over each other: drag the
// line between them, or hold B to blink. More stand side by side; on a phone one is seen at a time.
// Without this script all of them stand side by side.
(() => {
  "use strict";

  const LENS = 32; // pixels of the picture that a lens shows

  const make = (name, className, text = "") => {
    const element = document.createElement(name);
    element.className = className;
    element.textContent = text;
    return element;
  };

  const makeHandle = () => {
    const handle = make("div", "compare-handle");
    const attributes = {
      role: "slider", tabindex: "0", "aria-label": "How much of the left picture is seen",
      "aria-valuemin": "0", "aria-valuemax": "100",
    };
    for (const [key, value] of Object.entries(attributes)) handle.setAttribute(key, value);
    return handle;
  };

  const makeLens = (label, image, images) => {
    const box = make("div", "lens");
    const canvas = document.createElement("canvas");
    canvas.width = canvas.height = LENS;
    canvas.setAttribute("role", "img");
    canvas.setAttribute("aria-label", `${label}, enlarged`);
    box.append(canvas, make("span", "", label));
    const look = (x, y) => {
      const context = canvas.getContext("2d");
      context.imageSmoothingEnabled = false;
      context.clearRect(0, 0, LENS, LENS);
      const largest = Math.max(...images.map((other) => other.naturalWidth)); // all show one part
      const side = LENS * image.naturalWidth / largest;
      const left = Math.round(x * image.naturalWidth - side / 2);
      const top = Math.round(y * image.naturalHeight - side / 2);
      context.drawImage(image, left, top, side, side, 0, 0, LENS, LENS);
    };
    return { box, look };
  };

  // The lenses over all pictures of a figure, and the one spot that they look at.
  const makeView = (root, sides) => {
    const images = sides.map((side) => side.querySelector("img"));
    const labels = sides.map((side) => side.querySelector(".film-head").textContent);
    const lenses = images.map((image, i) => makeLens(labels[i], image, images));
    let spot = root.dataset.compare.split(" ").map((percent) => percent / 100);
    const look = (x = spot[0], y = spot[1]) => {
      spot = [x, y].map((part) => Math.min(1, Math.max(0, part)));
      lenses.forEach((lens) => lens.look(...spot));
      root.style.setProperty("--x", `${100 * spot[0]}%`);
      root.style.setProperty("--y", `${100 * spot[1]}%`);
    };
    const at = (event, element) => {
      const box = element.getBoundingClientRect();
      look((event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height);
      return 100 * spot[0];
    };
    const step = (x, y) => look(spot[0] + x, spot[1] + y);
    const near = new IntersectionObserver((seen) => {
      if (!seen.some((entry) => entry.isIntersecting)) return;
      near.disconnect();
      images.forEach((image) => { // a lens shows those too that are not in sight
        image.loading = "eager";
        image.decode().then(() => look(), () => {});
      });
    }, { rootMargin: "600px" });
    near.observe(root);
    return { images, labels, lenses: lenses.map((lens) => lens.box), at, step };
  };

  const layOver = (root, sides) => {
    const { images, labels, lenses, at } = makeView(root, sides);
    const levels = sides.map((side) => side.querySelector(".film-note"));
    const stage = make("div", "compare-stage");
    const over = make("div", "over");
    const handle = makeHandle();
    let cut = 50;

    const move = (percent) => {
      cut = Math.min(100, Math.max(0, percent));
      stage.style.setProperty("--cut", `${cut}%`);
      handle.setAttribute("aria-valuenow", Math.round(cut));
      handle.setAttribute("aria-valuetext", `${Math.round(cut)} per cent`);
    };

    over.append(images[0]);
    stage.append(images[1], over, handle);
    const under = make("div", "compare-labels");
    under.append(...labels.map((label) => make("span", "", label)));
    const both = make("div", "compare-both");
    both.append(stage, under);
    const tools = make("div", "compare-tools");
    const row = make("div", "lenses");
    row.append(...lenses);
    levels.forEach((level, i) => {
      if (level.textContent) lenses[i].lastChild.append(", ", ...level.childNodes);
    });
    const blink = make("button", "quiet-button", "Hold to blink");
    blink.type = "button";
    blink.append(make("span", "of-keys", " (B)"));
    const help = make("p", "", "Drag the line");
    help.append(make("span", "of-keys", ", or focus it and use ← and →"), ". The lens follows the pointer.");
    tools.append(help, blink, row);
    root.replaceChildren(both, tools);
    root.classList.add("compare-live");

    stage.addEventListener("pointerdown", (event) => {
      if (event.button) return;
      stage.setPointerCapture(event.pointerId);
      handle.focus({ preventScroll: true });
      move(at(event, stage));
      event.preventDefault();
    });
    stage.addEventListener("pointermove", (event) => {
      const percent = at(event, stage);
      if (stage.hasPointerCapture(event.pointerId)) move(percent);
    });

    const setBlink = (isOn) => stage.classList.toggle("blink", isOn);
    const keys = {
      ArrowLeft: () => cut - 2, ArrowDown: () => cut - 2,
      ArrowRight: () => cut + 2, ArrowUp: () => cut + 2,
      PageDown: () => cut - 10, PageUp: () => cut + 10,
      Home: () => 0, End: () => 100,
    };
    root.addEventListener("keydown", (event) => {
      if (event.altKey || event.ctrlKey || event.metaKey) return;
      const isHeld = event.target === blink && (event.key === " " || event.key === "Enter");
      if (isHeld || event.key.toLowerCase() === "b") {
        event.preventDefault();
        setBlink(true);
      } else if (event.target === handle && keys[event.key]) {
        event.preventDefault();
        move(keys[event.key]());
      }
    });
    root.addEventListener("keyup", () => setBlink(false));
    root.addEventListener("focusout", () => setBlink(false));
    blink.addEventListener("pointerdown", (event) => setBlink(!event.button));
    for (const name of ["pointerup", "pointerleave", "pointercancel"]) {
      blink.addEventListener(name, () => setBlink(false));
    }
    move(50);
  };

  const setBeside = (root, sides) => {
    const { images, labels, lenses, at, step } = makeView(root, sides);
    const choice = make("div", "compare-choice");
    const buttons = labels.map((label) => make("button", "quiet-button", label));
    const choose = (chosen) => {
      sides.forEach((side, i) => side.classList.toggle("current", i === chosen));
      buttons.forEach((button, i) => button.setAttribute("aria-pressed", i === chosen));
    };
    sides.forEach((side, i) => {
      const frame = make("div", "compare-frame");
      images[i].before(frame);
      frame.append(images[i], make("span", "compare-spot"));
      side.append(lenses[i]);
      frame.addEventListener("pointermove", (event) => at(event, images[i]));
      frame.addEventListener("pointerdown", (event) => at(event, images[i]));
      buttons[i].type = "button";
      buttons[i].addEventListener("click", () => choose(i));
    });
    choice.append(...buttons);
    root.prepend(choice);
    root.tabIndex = 0;
    root.setAttribute("role", "group");
    root.setAttribute("aria-label", "Pictures under one lens, which the arrow keys move");
    const keys = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    root.addEventListener("keydown", (event) => {
      if (event.target !== root || !keys[event.key]) return;
      event.preventDefault();
      step(...keys[event.key].map((part) => part / 32));
    });
    root.classList.add("compare-beside");
    choose(0);
  };

  document.querySelectorAll("[data-compare]").forEach((root) => {
    const sides = [...root.querySelectorAll(".compare-side")];
    const images = sides.map((side) => side.querySelector("img"));
    if (!images.every(Boolean)) return;
    const shapes = new Set(images.map((image) => image.getAttribute("width") / image.getAttribute("height")));
    (sides.length === 2 && shapes.size === 1 ? layOver : setBeside)(root, sides);
  });
})();
