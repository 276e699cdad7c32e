// Around itables' widget: Tab goes through its head once, the list of columns can be searched, and the cells
// of a column that isn't in the page yet come from the kernel when it is chosen. Where no kernel answers, it
// isn't shown: an empty column would say that there is nothing in it.
const COLUMN_IN = 20000; // milliseconds
const COLUMNS_SEARCHED = 12; // from so many on the list has a field that searches it

function columnsOnDemand(model, el) {
  const $ = window.$;
  const table = el.querySelector("table[id]"); // not that of the head, which scrolls beside it
  if (!$ || !table) return () => {};
  const present = new Set(), timers = new Map();
  const api = () => new $.fn.dataTable.Api(table);
  const later = (place) => api().settings()[0].aoColumns[place].sClass?.includes("sm-later");
  const withdraw = (place) => {
    timers.delete(place);
    api().column(place).visible(false);
  };
  const shown = (event, settings, place, visible) => {
    if (!visible || present.has(place) || timers.has(place) || !later(place)) return;
    if (el.closest(".sm-dead")) {
      setTimeout(() => withdraw(place), 0);
      return;
    }
    timers.set(place, setTimeout(() => withdraw(place), COLUMN_IN));
    model.send({ column: place });
  };
  const heard = (message) => {
    if (!Number.isInteger(message?.column)) return;
    const place = message.column, dt = api(), settings = dt.settings()[0];
    clearTimeout(timers.get(place));
    timers.delete(place);
    if (message.cells.length !== settings.aoData.length) {
      withdraw(place);
      return;
    }
    present.add(place);
    message.cells.forEach((cell, row) => { settings.aoData[row]._aData[place] = cell; });
    settings.aoColumns[place].bSearchable = true;
    dt.column(place).title(message.head);
    dt.rows().invalidate("data");
    dt.columns.adjust().draw(false);
  };
  $(table).on("column-visibility.dt", shown);
  model.on("msg:custom", heard);
  return () => {
    timers.forEach((timer) => clearTimeout(timer));
    model.off("msg:custom", heard);
  };
}

// The list that Columns opens: a field on top that searches it, which columns are shown for those who don't
// see the tick, and the way back to the button when it closes.
function searchableList(el) {
  let open = null, opener = null;
  const said = (button) => button.setAttribute(
    "aria-pressed", String(button.classList.contains("dt-button-active")));
  const equip = (list) => {
    const buttons = [...list.querySelectorAll("button")];
    buttons.forEach(said);
    list.addEventListener("click", () => setTimeout(() => buttons.forEach(said), 0));
    list.setAttribute("aria-label", "Columns");
    const beyond = list.getBoundingClientRect().right - el.getBoundingClientRect().right;
    if (beyond > 0) list.style.left = `${(parseFloat(list.style.left) || 0) - beyond - 4}px`;
    if (buttons.length < COLUMNS_SEARCHED) return;
    const field = document.createElement("input");
    field.type = "search";
    field.className = "sm-find-column";
    field.placeholder = "Search columns";
    field.setAttribute("aria-label", "Search columns");
    field.addEventListener("click", (event) => event.stopPropagation());
    field.addEventListener("input", () => {
      const sought = field.value.trim().toLowerCase().replace(/[\s_]+/g, "_");
      buttons.forEach((each) => { each.hidden = !each.textContent.toLowerCase().includes(sought); });
    });
    field.addEventListener("keydown", (event) => {
      if (event.key !== "Escape" && event.key !== "Tab") event.stopPropagation();
      if (event.key !== "ArrowDown" && event.key !== "Enter") return;
      event.preventDefault();
      buttons.find((each) => !each.hidden)?.focus();
    });
    list.prepend(field);
    field.focus({ preventScroll: true });
  };
  const observer = new MutationObserver(() => {
    const list = el.querySelector(".dt-button-collection");
    if (list === open) return;
    open = list;
    if (list) {
      opener = el.querySelector(".dt-buttons button.buttons-colvis");
      equip(list);
    } else if (document.activeElement === document.body) opener?.focus({ preventScroll: true });
  });
  observer.observe(el, { childList: true, subtree: true });
  return () => observer.disconnect();
}

// Beside the head that is seen DataTables keeps a copy of it, which nobody sees and Tab goes through. The
// buttons of each column are named alike: here they say which column they are of.
const NAMES = { "Toggle ordering": "Sort by", Search: "Search in" };

function readableHeads(el) {
  const observer = new MutationObserver(() => {
    el.querySelectorAll(".dt-scroll-body thead:not([inert])").forEach((each) => { each.inert = true; });
    el.querySelectorAll(".dt-scroll-head th .dtcc-button").forEach((each) => {
      const does = NAMES[each.getAttribute("aria-label")];
      const title = each.closest("th").querySelector(".dt-column-title")?.textContent.trim();
      if (does && title) each.setAttribute("aria-label", `${does} ${title}`);
    });
  });
  observer.observe(el, { childList: true, subtree: true });
  return () => observer.disconnect();
}

export default {
  render(context) {
    const ends = [searchableList(context.el), readableHeads(context.el)];
    const own = itablesWidget.render(context);
    ends.push(columnsOnDemand(context.model, context.el));
    return () => {
      ends.forEach((end) => end());
      if (typeof own === "function") own();
    };
  },
};
