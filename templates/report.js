"use strict";
// Sorting, filtering, and figures that are drawn when somebody opens them. Text goes into the page as text, never as HTML.
{
  const $ = (id) => document.getElementById(id);
  const root = document.documentElement;
  const preferred = matchMedia("(prefers-color-scheme: dark)");

  const make = (tag, attributes = {}, ...children) => {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    element.append(...children);
    return element;
  };

  // A sentence whose names stand in `backticks`.
  const prose = (text) => text.split("`").map((piece, place) => (place % 2 ? make("code", {}, piece) : piece));

  // ---- what was packed into the file

  const unpack = async (id) => {
    const packed = atob($(id).textContent);
    const bytes = new Uint8Array(packed.length);
    for (let at = 0; at < bytes.length; at += 1) bytes[at] = packed.charCodeAt(at);
    return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"))).text();
  };
  const once = (action) => {
    let result;
    return () => (result ??= action());
  };
  const data = once(async () => JSON.parse(await unpack("data")));
  const library = once(async () => {
    // The page's policy knows this text by its hash, so that it may run without any address.
    document.head.append(make("script", {}, await unpack("plotly")));
    return window.Plotly;
  });

  // Most of the time that a first figure takes is spent on reading plotly, which can begin before the click.
  const warmUp = once(() => Promise.all([data(), library()]));
  for (const hint of ["pointerover", "focusin"]) {
    addEventListener(hint, ({ target }) => target.closest?.(".open, .pictures > summary") && warmUp());
  }

  // ---- light and dark

  const probe = document.body.appendChild(make("span", { hidden: "" }));
  const colour = (token) => {
    probe.style.color = `var(${token})`;
    return getComputedStyle(probe).color;
  };
  // Only what is a colour: a benchmark may be called `--over`.
  const paint = (value, key = "") => {
    if (typeof value === "string") return /color/.test(key) && value.startsWith("--") ? colour(value) : value;
    if (Array.isArray(value)) return value.map((inner) => paint(inner, key));
    if (value === null || typeof value !== "object") return value;
    return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, paint(inner, name)]));
  };
  const setTheme = (theme) => {
    root.dataset.theme = theme;
    $("theme").textContent = theme === "dark" ? "Switch to light" : "Switch to dark";
    for (const redraw of drawn.values()) redraw();
  };
  const drawn = new Map();
  let chosen = false;
  setTheme(preferred.matches ? "dark" : "light");
  preferred.addEventListener("change", () => chosen || setTheme(preferred.matches ? "dark" : "light"));
  $("theme").addEventListener("click", () => {
    chosen = true;
    setTheme(root.dataset.theme === "dark" ? "light" : "dark");
  });
  const onPaper = { before: null };
  addEventListener("beforeprint", () => {
    onPaper.before = root.dataset.theme;
    setTheme("light");
  });
  addEventListener("afterprint", () => setTheme(onPaper.before));

  // ---- figures

  const axis = { gridcolor: "--line", linecolor: "--line", zerolinecolor: "--soft", automargin: true, title: { standoff: 8 } };
  const common = {
    autosize: true,
    font: { family: "system-ui, sans-serif", size: 12, color: "--soft" },
    paper_bgcolor: "--paper",
    plot_bgcolor: "--paper",
    hoverlabel: { bgcolor: "--raised", bordercolor: "--line", font: { color: "--ink" } },
    legend: { orientation: "h", x: 0, y: 1.02, yanchor: "bottom" },
    margin: { l: 8, r: 8, t: 32, b: 8 },
    xaxis: { ...axis, zeroline: false },
    yaxis: { ...axis, zeroline: false },
    hovermode: "closest",
    dragmode: false,
  };
  const joined = (one, other) => {
    const result = { ...one };
    for (const [key, value] of Object.entries(other)) {
      const nested = value !== null && typeof value === "object" && !Array.isArray(value);
      result[key] = nested ? joined(result[key] ?? {}, value) : value;
    }
    return result;
  };
  const layoutOf = (figure, layouts) => {
    const layout = joined(joined(common, layouts[figure.kind]), figure.layout);
    if (layout.yaxis2) layout.yaxis2 = joined(axis, layout.yaxis2);
    return layout;
  };

  const tableOf = ({ title, head, rows }) =>
    make(
      "div",
      { class: "scroll", role: "group", tabindex: "0", "aria-label": `${title}, as a table` },
      make(
        "table",
        {},
        make("thead", {}, make("tr", {}, ...head.map((text) => make("th", { scope: "col" }, text)))),
        make("tbody", {}, ...rows.map((row) => make("tr", {}, ...row.map((text) => make("td", {}, text))))),
      ),
    );

  const frameOf = (figure, plot) =>
    make(
      "figure",
      { class: figure.kind },
      make("figcaption", {}, figure.title),
      make("p", {}, figure.text),
      plot,
      make("details", {}, make("summary", {}, "As a table"), tableOf(figure)),
    );

  // All frames first, with room for what comes: how wide a figure may be is known only then, and nothing jumps.
  const draw = async (place, figures, layouts) => {
    const shapes = figures.map((figure) => layoutOf(figure, layouts));
    const plots = figures.map(({ title, text }, index) => {
      const room = `min-height: ${shapes[index].height}px`;
      return make("div", { role: "img", "aria-label": `${title}: ${text}`, style: room });
    });
    place.append(make("div", { class: "figures" }, ...figures.map((figure, index) => frameOf(figure, plots[index]))));
    const plotly = await library();
    for (const [index, plot] of plots.entries()) {
      const { traces } = figures[index];
      const redraw = () => plotly.react(plot, paint(traces), paint(shapes[index]), { displayModeBar: false, responsive: true });
      drawn.set(plot, redraw);
      await redraw();
    }
    place.dataset.ready = "yes";
  };

  const drawBenchmark = async (details) => {
    const { benchmarks, layouts } = await data();
    await draw(details.lastElementChild, benchmarks[details.dataset.benchmark], layouts);
  };
  const lazily = (details) => {
    details.addEventListener("toggle", once(() => drawBenchmark(details)));
    return details;
  };
  document.querySelectorAll("details.pictures").forEach(lazily);

  // ---- one metric, opened below its row

  const table = $("table");
  const body = table.tBodies[0];
  const rows = [...body.rows].map((row, place) => ({ row, place, text: row.textContent.toLowerCase(), detail: null }));

  const picturesOf = (benchmark) => {
    const summary = make("summary", {}, "Figures of the whole benchmark");
    return make("details", { class: "pictures", "data-benchmark": benchmark }, summary, make("div"));
  };
  const open = async (entry) => {
    const cell = make("td", { colspan: table.tHead.rows[0].cells.length });
    entry.detail = make("tr", { class: "detail", id: `detail-${entry.place}` }, cell);
    entry.row.after(entry.detail);
    const { metrics, layouts } = await data();
    const { benchmark, facts, figures } = metrics[entry.place];
    const list = facts.flatMap(([name, text]) => [make("dt", {}, name), make("dd", {}, ...prose(text))]);
    const inner = cell.appendChild(make("div", {}, make("dl", {}, ...list)));
    if (figures.length) await draw(inner, figures, layouts);
    else inner.append(make("p", { class: "soft" }, "The report has no single runs of this metric."));
    if (benchmark !== null) inner.append(lazily(picturesOf(benchmark)));
  };
  const toggle = (entry, button) => {
    const opened = button.getAttribute("aria-expanded") !== "true";
    button.setAttribute("aria-expanded", opened);
    if (entry.detail) entry.detail.hidden = !opened;
    else {
      open(entry);
      button.setAttribute("aria-controls", entry.detail.id);
    }
  };
  for (const entry of rows) {
    const button = entry.row.querySelector("button.open");
    button.addEventListener("click", () => toggle(entry, button));
  }

  // ---- sorting and filtering

  const valueOf = (cell) => (cell.dataset.v === undefined ? cell.textContent : Number(cell.dataset.v));
  const collator = new Intl.Collator("en", { numeric: true });
  const compare = (one, other) => {
    if (typeof one !== typeof other) return typeof one === "number" ? -1 : 1;
    return typeof one === "number" ? one - other : collator.compare(one, other);
  };
  const sortBy = (header) => {
    const direction = header.getAttribute("aria-sort") === "ascending" ? "descending" : "ascending";
    for (const other of header.parentElement.cells) other.setAttribute("aria-sort", "none");
    header.setAttribute("aria-sort", direction);
    const sign = direction === "ascending" ? 1 : -1;
    const keyed = rows.map((entry) => ({ entry, key: valueOf(entry.row.cells[header.cellIndex]) }));
    // What has no number stays at the end, whichever way.
    keyed.sort((one, other) =>
      typeof one.key === typeof other.key ? sign * compare(one.key, other.key) : compare(one.key, other.key),
    );
    body.append(...keyed.flatMap(({ entry }) => (entry.detail ? [entry.row, entry.detail] : [entry.row])));
  };
  for (const header of table.tHead.rows[0].cells) {
    header.firstElementChild.addEventListener("click", () => sortBy(header));
  }

  const filter = document.querySelector(".filter");
  const update = () => {
    const words = $("find").value.toLowerCase().split(/\s+/).filter(Boolean);
    const wanted = new Set([...filter.querySelectorAll(":checked")].map((box) => box.value));
    let shown = 0;
    for (const { row, text, detail } of rows) {
      const seen = wanted.has(row.dataset.outcome) && words.every((word) => text.includes(word));
      row.hidden = !seen;
      if (detail) detail.hidden = !seen || row.querySelector(".open").getAttribute("aria-expanded") !== "true";
      shown += seen;
    }
    $("shown").value = `${shown} of ${rows.length}`;
    $("nothing").hidden = shown > 0;
  };
  update();
  filter.addEventListener("input", update);
  filter.addEventListener("submit", (event) => event.preventDefault());

  // ---- commands

  for (const button of document.querySelectorAll(".copy")) {
    button.addEventListener("click", async () => {
      const code = button.previousElementSibling;
      getSelection().selectAllChildren(code);
      await navigator.clipboard?.writeText(code.textContent).catch(() => {});
      button.textContent = "Copied";
      setTimeout(() => (button.textContent = "Copy"), 2000);
    });
  }
}
