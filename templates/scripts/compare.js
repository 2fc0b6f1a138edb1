// Lays two pictures over each other: drag the line between them, hold B to blink, and look
// through a lens that both share. Without this script they stand side by side.
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

  const makeLens = (label, image) => {
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
      const left = Math.round(x * image.naturalWidth - LENS / 2);
      const top = Math.round(y * image.naturalHeight - LENS / 2);
      context.drawImage(image, left, top, LENS, LENS, 0, 0, LENS, LENS);
    };
    return { box, look };
  };

  const start = (root) => {
    const sides = [...root.querySelectorAll(".compare-side")];
    const images = sides.map((side) => side.querySelector("img"));
    const labels = sides.map((side) => side.querySelector(".film-head").textContent);
    const levels = sides.map((side) => side.querySelector(".film-note"));
    const stage = make("div", "compare-stage");
    const over = make("div", "over");
    const handle = makeHandle();
    let cut = 50;
    let spot = [0.5, 0.5];

    const move = (percent) => {
      cut = Math.min(100, Math.max(0, percent));
      stage.style.setProperty("--cut", `${cut}%`);
      handle.setAttribute("aria-valuenow", Math.round(cut));
      handle.setAttribute("aria-valuetext", `${Math.round(cut)} per cent`);
    };

    over.append(images[0]);
    stage.append(images[1], over, make("span", "compare-label left", labels[0]),
      make("span", "compare-label right", labels[1]), handle);
    const tools = make("div", "compare-tools");
    const lenses = images.map((image, i) => makeLens(labels[i], image));
    const row = make("div", "lenses");
    row.append(...lenses.map((lens) => lens.box));
    levels.forEach((level, i) => {
      const line = make("p", "");
      line.append(`${labels[i]}: `, ...level.childNodes);
      if (level.textContent !== "" || line.childNodes.length > 1) tools.append(line);
    });
    const blink = make("button", "quiet-button", "Hold to blink (B)");
    blink.type = "button";
    tools.append(make("p", "", "Drag the line, or focus it and use ← and →. The lens follows the pointer."),
      blink, make("p", "", ""), row);
    root.replaceChildren(stage, tools);
    root.classList.add("compare-live");

    const look = () => lenses.forEach((lens) => lens.look(...spot));
    const place = (event) => {
      const box = stage.getBoundingClientRect();
      spot = [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height];
      look();
      return 100 * spot[0];
    };
    stage.addEventListener("pointerdown", (event) => {
      stage.setPointerCapture(event.pointerId);
      handle.focus({ preventScroll: true });
      move(place(event));
      event.preventDefault();
    });
    stage.addEventListener("pointermove", (event) => {
      const percent = place(event);
      if (stage.hasPointerCapture(event.pointerId)) move(percent);
    });

    const setBlink = (isOn) => stage.classList.toggle("blink", isOn);
    const keys = { ArrowLeft: () => cut - 2, ArrowRight: () => cut + 2, Home: () => 0, End: () => 100 };
    root.addEventListener("keydown", (event) => {
      if (event.altKey || event.ctrlKey || event.metaKey) return;
      if (event.key === "b" || event.key === "B") return setBlink(true);
      if (event.target !== handle || !keys[event.key]) return;
      event.preventDefault();
      move(keys[event.key]());
    });
    root.addEventListener("keyup", () => setBlink(false));
    root.addEventListener("focusout", () => setBlink(false));
    blink.addEventListener("pointerdown", () => setBlink(true));
    for (const name of ["pointerup", "pointerleave", "pointercancel"]) {
      blink.addEventListener(name, () => setBlink(false));
    }
    images.forEach((image) => {
      image.loading = "eager";
      image.decode().then(look, () => {});
    });
    move(50);
  };

  document.querySelectorAll("[data-compare]").forEach(start);
})();
