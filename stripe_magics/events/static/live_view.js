// The live view of a watch. A panel without state: the kernel sends rows, the page draws them as text and asks again after a reload.

const COLUMNS = [
  ["time", "Time (UTC)"], ["type", "Type"], ["object", "Object"], ["amount", "Amount"], ["customer", "Customer"], ["details", "Details"],
];

function node(tag, attrs, ...inside) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attrs || {})) element.setAttribute(name, value);
  element.append(...inside);
  return element;
}

function notify(text) {
  if ("Notification" in window && Notification.permission === "granted") new Notification("Stripe events", {body: text});
}

function render({model, el}) {
  el.classList.add("sm-watch", "tex2jax_ignore", "mathjax_ignore");  // names with $ signs are no mathematics
  let rows = [], seen = new Set(), maxRows = 500, ended = true;

  const badge = node("b", {class: "sm-watch-mode"});
  const account = node("span", {class: "sm-watch-account"});
  const state = node("span", {role: "status", class: "sm-watch-state"});
  const filter = node("input", {type: "search", placeholder: "Filter: type, id, customer", "aria-label": "Filter the events shown"});
  const button = (action, label) => {
    const element = node("button", {type: "button"}, label);
    element.addEventListener("click", () => model.send({[action]: true}));
    return element;
  };
  const pause = button("pause", "Pause"), poll = button("poll", "Read now"), stop = button("stop", "Stop");
  const bell = node("button", {type: "button", title: "Show a notification of the browser when the watch ends"}, "Tell me");
  bell.addEventListener("click", async () => {
    if ("Notification" in window && (await Notification.requestPermission()) === "granted") bell.disabled = true;
  });
  const body = node("tbody");
  const heads = COLUMNS.map(([, label]) => node("th", {scope: "col"}, label));
  const table = node("table", {"aria-label": "Events"}, node("thead", {}, node("tr", {}, ...heads)), body);
  const detail = node("div", {class: "sm-watch-detail", "aria-live": "polite"});
  const note = node("div", {class: "sm-watch-note", role: "log"});
  el.append(
    node("div", {class: "sm-watch-head"}, badge, account, state, filter, pause, poll, stop, bell),
    note, node("div", {class: "sm-watch-rows", tabindex: "0"}, table), detail,
  );

  const matches = (row) => {
    const text = filter.value.trim().toLowerCase();
    return !text || COLUMNS.some(([name]) => (row.data[name] || "").toLowerCase().includes(text));
  };

  const draw = (data) => {
    if (seen.has(data.id)) return;
    seen.add(data.id);
    const line = node("tr");
    for (const [name] of COLUMNS) {
      if (name === "object" && data.object) {
        const open = node("button", {type: "button", title: "Show it as it is today", "aria-label": "Open " + data.object}, data.object);
        open.addEventListener("click", () => model.send({open: data.id}));
        line.append(node("td", {}, open));
      } else line.append(node("td", {}, data[name] || ""));
    }
    const row = {data, line};
    line.hidden = !matches(row);
    rows.push(row);
    body.prepend(line);
    while (rows.length > maxRows) {
      const oldest = rows.shift();
      seen.delete(oldest.data.id);
      oldest.line.remove();
    }
  };
  filter.addEventListener("input", () => rows.forEach((row) => { row.line.hidden = !matches(row); }));

  const showStatus = (status) => {
    badge.textContent = status.mode;
    badge.classList.toggle("sm-live", status.live);
    account.textContent = status.account || "";
    state.textContent = status.text;
    pause.textContent = status.paused ? "Resume" : "Pause";
    pause.disabled = poll.disabled = stop.disabled = status.ended;
    if (status.ended && !ended && status.text.includes("ended")) notify(status.text);
    ended = status.ended;
  };

  const showObject = (object) => {
    const close = node("button", {type: "button"}, "Close");
    close.addEventListener("click", () => detail.replaceChildren());
    const values = object.values.map(([name, value]) => node("tr", {}, node("th", {scope: "row"}, name), node("td", {}, value)));
    detail.replaceChildren(
      node("div", {}, node("b", {}, object.title), " ", close),
      node("table", {"aria-label": object.title}, node("tbody", {}, ...values)),
    );
  };

  const onMessage = (message) => {
    if (!message) return;
    if (message.begin) { body.replaceChildren(); rows = []; seen = new Set(); maxRows = message.most; }
    (message.rows || []).forEach(draw);
    if (message.status) showStatus(message.status);
    if (message.note !== undefined) note.textContent = message.note;
    if (message.object) showObject(message.object);
  };

  model.on("msg:custom", onMessage);
  model.send({ready: true});
  return () => { model.off("msg:custom", onMessage); model.send({gone: true}); };
}

export default {render};
