// Ties a run's frames to its curve: drag along it, or use the arrow keys, Home and End.
// The film strip of the frames is there without this script, and stays beneath.
(() => {
  "use strict";

  const SVG = "http://www.w3.org/2000/svg";

  const svgElement = (name, attributes) => {
    const element = document.createElementNS(SVG, name);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    return element;
  };

  const makeHandle = (chart, name, last) => {
    const box = chart.viewBox.baseVal;
    const group = svgElement("g", {
      class: "handle-group", role: "slider", tabindex: "0", "aria-label": name,
      "aria-valuemin": "0", "aria-valuemax": String(last), "aria-orientation": "horizontal",
    });
    const line = svgElement("line", { class: "handle-line", y2: String(box.height - 32) });
    const dot = svgElement("circle", { class: "handle", r: "6" });
    group.append(line, dot);
    return { group, line, dot };
  };

  const nearestFrame = (frames, x) =>
    frames.reduce((best, frame, i) =>
      Math.abs(frame.at[0] - x) < Math.abs(frames[best].at[0] - x) ? i : best, 0);

  const start = (root) => {
    const { title, axis, frames } = JSON.parse(root.querySelector("script").textContent);
    const chart = root.querySelector(".scrubber-chart svg");
    const image = root.querySelector(".scrubber-picture img");
    const words = root.querySelector(".scrubber-words");
    const strip = [...root.querySelectorAll(".contact li")];
    const last = frames.length - 1;
    const { group, line, dot } = makeHandle(chart, `${title}, ${axis}`, frames[last].step);
    let current = -1;

    const show = (index) => {
      const next = Math.min(last, Math.max(0, index));
      if (next === current) return;
      strip[current]?.classList.remove("current");
      current = next;
      const frame = frames[current];
      const [x, y] = frame.at;
      for (const name of ["x1", "x2"]) line.setAttribute(name, x);
      line.setAttribute("y1", y);
      dot.setAttribute("cx", x);
      dot.setAttribute("cy", y);
      image.src = frame.src;
      image.alt = `${title}. ${frame.words}`;
      words.textContent = frame.words;
      group.setAttribute("aria-valuenow", frame.step);
      group.setAttribute("aria-valuetext", frame.words);
      strip[current].classList.add("current");
      for (const near of [frames[current - 1], frames[current + 1]]) {
        if (near) new Image().src = near.src;
      }
    };

    const steps = {
      ArrowLeft: () => current - 1, ArrowDown: () => current - 1,
      ArrowRight: () => current + 1, ArrowUp: () => current + 1,
      PageDown: () => current - 5, PageUp: () => current + 5,
      Home: () => 0, End: () => last,
    };

    const follow = (event) => {
      const point = new DOMPoint(event.clientX, event.clientY);
      show(nearestFrame(frames, point.matrixTransform(chart.getScreenCTM().inverse()).x));
    };

    chart.append(group);
    chart.removeAttribute("role");
    chart.classList.add("live");
    root.classList.add("scrubber-live");
    root.querySelector(".scrubber-help").hidden = false;
    chart.addEventListener("pointerdown", (event) => {
      if (event.button) return;
      chart.setPointerCapture(event.pointerId);
      group.focus({ preventScroll: true });
      follow(event);
      event.preventDefault();
    });
    chart.addEventListener("pointermove", (event) => {
      if (chart.hasPointerCapture(event.pointerId)) follow(event);
    });
    group.addEventListener("keydown", (event) => {
      const step = steps[event.key];
      if (!step || event.altKey || event.ctrlKey || event.metaKey) return;
      event.preventDefault();
      show(step());
    });
    strip.forEach((item, index) => item.addEventListener("click", () => show(index)));
    show(last);
  };

  document.querySelectorAll("[data-scrubber]").forEach(start);
})();
