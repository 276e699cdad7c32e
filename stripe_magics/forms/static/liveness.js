// A widget outlives its kernel on the page: after a restart, or in a notebook that is opened again with its
// widgets saved, it looks as it did, and its buttons do nothing. Then this says so, what to do, and takes
// its controls away. What works without a kernel stays: copying the line, sorting and exporting a table.
const HOLDERS = ".sm-form, .sm-table, .sm-under";
const CONTROLS = "button, input, select, textarea";
const WORKS_ALONE = ".sm-line, .dt-container, .dt-button-collection";
const GONE = new Set(["restarting", "autorestarting", "dead", "terminating"]);
const ANSWERED_IN = 3000; // milliseconds that a kernel has to say that it is there, where a page doesn't know

function wordsOf(holder) {
  const words = holder.matches(".sm-form")
    ? ["This form isn't connected to a running kernel, so nothing can be sent from it. ",
      "Run its cell again to open it."]
    : holder.matches(".sm-table")
      ? ["This table isn't connected to a running kernel. It still sorts, searches and exports; ",
        "run its cell again to do something with its rows."]
      : ["These buttons aren't connected to a running kernel. Run the cell again."];
  if (holder.querySelector(".sm-line")) words.push(" The line at the end keeps what was entered.");
  const cards = [...holder.querySelectorAll(".sm-card")];
  if (cards.some((each) => each.textContent.startsWith("Sending"))) {
    words.push(" A call was on its way: %stripe pending tells how it ended. Look there first.");
  }
  return words.join("");
}

function lifeless(holder) {
  if (holder.querySelector(":scope > .sm-lifeless")) return;
  const said = document.createElement("div");
  said.className = "sm-lifeless";
  said.setAttribute("role", "alert");
  said.textContent = wordsOf(holder);
  holder.prepend(said);
  holder.classList.add("sm-dead");
  holder.querySelectorAll(CONTROLS).forEach((each) => {
    if (!each.closest(WORKS_ALONE)) each.disabled = true;
  });
}

// Calls `heard` once the kernel is gone, and gives what ends the watch. `layout` is one of ipywidgets' own
// models: it knows whether it can reach the kernel, which anywidget's face of a model doesn't tell.
function watchKernel(model, heard) {
  const layout = model.get("layout"), kernel = layout?.widget_manager?.kernel;
  let timer;
  const answered = (message) => { if (message?.alive) clearTimeout(timer); };
  const look = () => {
    if (layout?.comm_live !== false) return;
    clearTimeout(timer);
    timer = setTimeout(heard, ANSWERED_IN);
    try { model.send({ alive: true }); } catch { heard(); }
  };
  const changed = (_, status) => { if (GONE.has(status)) heard(); };
  const closed = () => { if (layout?.comm_live === false) heard(); };
  model.on("msg:custom", answered);
  layout?.on?.("comm_live_update", closed);
  kernel?.statusChanged?.connect?.(changed);
  look();
  return () => {
    clearTimeout(timer);
    model.off("msg:custom", answered);
    layout?.off?.("comm_live_update", closed);
    kernel?.statusChanged?.disconnect?.(changed);
  };
}

// Watches for the widget that `el` stands in; the outermost one speaks for what is open inside it.
function liveness(model, el) {
  let holder = el.closest(HOLDERS);
  while (holder?.parentElement?.closest(HOLDERS)) holder = holder.parentElement.closest(HOLDERS);
  return holder ? watchKernel(model, () => lifeless(holder)) : () => {};
}
