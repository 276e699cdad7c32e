// The live view of a watch. A panel without state: the kernel sends rows, the page draws them as text and
// asks again after a reload.

const LABELS = {
  time: "Time (UTC)", account: "Account", type: "Type", object: "Object", amount: "Amount",
  customer: "Customer", details: "Details",
};

function node(tag, attrs, ...inside) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attrs || {})) element.setAttribute(name, value);
  element.append(...inside);
  return element;
}

function notify(text) {
  if ("Notification" in window && Notification.permission === "granted") {
    new Notification("Stripe events", {body: text});
  }
}

function beep() {  // two short notes; false where the browser waits for a click into the page first
  const Sound = window.AudioContext || window.webkitAudioContext;
  if (!Sound) return false;
  const sound = new Sound();
  if (sound.state === "suspended") { sound.close(); return false; }
  [660, 880].forEach((frequency, number) => {
    const tone = sound.createOscillator(), volume = sound.createGain();
    tone.frequency.value = frequency;
    volume.gain.value = 0.1;
    tone.connect(volume).connect(sound.destination);
    tone.start(sound.currentTime + number * 0.18);
    tone.stop(sound.currentTime + number * 0.18 + 0.15);
    if (number) tone.onended = () => sound.close();
  });
  return true;
}

function render({model, el}) {
  guard();
  el.classList.add("sm-watch", "tex2jax_ignore", "mathjax_ignore");  // names with $ signs are no mathematics
  let rows = [], seen = new Set(), maxRows = 500, ended = true, columns = [], number = 0;

  const badge = node("b", {class: "sm-watch-mode"});
  const account = node("span", {class: "sm-watch-account"});
  const state = node("span", {role: "status", class: "sm-watch-state"});
  const filter = node("input", {type: "search", placeholder: "Filter: type, id, customer",
    "aria-label": "Filter the events shown"});
  const button = (action, label) => {
    const element = node("button", {type: "button"}, label);
    element.addEventListener("click", () => model.send({[action]: true}));
    return element;
  };
  const pause = button("pause", "Pause"), poll = button("poll", "Read now"), stop = button("stop", "Stop");
  const bell = node("button",
    {type: "button", title: "Allow notifications of the browser: for alerts, and when the watch ends"},
    "Tell me");
  bell.addEventListener("click", async () => {
    if (!("Notification" in window)) return;
    if ((await Notification.requestPermission()) === "granted") bell.disabled = true;
  });
  const body = node("tbody");
  const heads = node("tr");
  const table = node("table", {"aria-label": "Events"}, node("thead", {}, heads), body);
  const setColumns = (names) => {
    columns = names;
    heads.replaceChildren(...names.map((name) => node("th", {scope: "col"}, LABELS[name] || name)));
  };
  setColumns(Object.keys(LABELS).filter((name) => name !== "account"));
  const turn = (step, label) => {
    const element = node("button", {type: "button"}, label);
    element.addEventListener("click", () => model.send({page: number + step}));
    return element;
  };
  const newer = turn(-1, "Newer"), older = turn(1, "Older"),
    place = node("span", {class: "sm-watch-place", role: "status"});
  const pages = node("div", {class: "sm-watch-pages"}, newer, place, older);
  pages.hidden = true;
  const detail = node("div", {class: "sm-watch-detail", "aria-live": "polite"});
  const note = node("div", {class: "sm-watch-note", role: "log"});
  el.append(
    node("div", {class: "sm-watch-head"}, badge, account, state, filter, pause, poll, stop, bell),
    note, node("div", {class: "sm-watch-rows", tabindex: "0"}, table), pages, detail,
  );

  const matches = (row) => {
    const text = filter.value.trim().toLowerCase();
    return !text || columns.some((name) => (row.data[name] || "").toLowerCase().includes(text));
  };

  const draw = (data) => {
    if (seen.has(data.id)) return;
    seen.add(data.id);
    const line = node("tr");
    for (const name of columns) {
      if (name === "object" && data.object) {
        const open = node("button", {type: "button", title: "Show it as it is today",
          "aria-label": "Open " + data.object}, data.object);
        open.addEventListener("click", () => model.send({open: data.id}));
        line.append(node("td", {}, open));
      } else line.append(node("td", {}, data[name] || ""));
    }
    const row = {data, line};
    line.hidden = !matches(row);
    let at = rows.length;  // oldest first; what comes late has its place among the others
    while (at && Number(rows[at - 1].data.created) > Number(data.created)) at -= 1;
    if (at === rows.length) body.prepend(line);
    else rows[at].line.after(line);
    rows.splice(at, 0, row);
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
    const values = object.values.map(([name, value]) =>
      node("tr", {}, node("th", {scope: "row"}, name), node("td", {}, value)));
    detail.replaceChildren(
      node("div", {}, node("b", {}, object.title), " ", close),
      node("table", {"aria-label": object.title}, node("tbody", {}, ...values)),
    );
  };

  const showPlace = (page) => {
    number = page.number;
    newer.disabled = number === 0;
    older.disabled = !page.older;
    place.textContent = page.text;
    pages.hidden = number === 0 && !page.older;
  };

  const alertPerson = ({title, how}) => {
    const blocked = [];
    if (how.includes("sound") && !beep()) blocked.push("sounds until you click into this page");
    if (how.includes("desktop")) {
      if ("Notification" in window && Notification.permission === "granted") notify(title);
      else blocked.push("notifications until you click Tell me");
    }
    if (blocked.length) {
      model.send({blocked: "The browser blocks " + blocked.join(" and ") + ". New: " + title});
    }
  };

  const onMessage = (message) => {
    if (!message) return;
    if (message.begin) {
      body.replaceChildren(); rows = []; seen = new Set(); maxRows = message.most;
      if (message.columns) setColumns(message.columns);
      if (message.page) showPlace(message.page);
    }
    (message.rows || []).forEach(draw);
    if (message.status) showStatus(message.status);
    if (message.note !== undefined) note.textContent = message.note;
    if (message.object) showObject(message.object);
    if (message.alert) alertPerson(message.alert);
  };

  model.on("msg:custom", onMessage);
  model.send({ready: true});
  return () => { model.off("msg:custom", onMessage); model.send({gone: true}); };
}

export default {render};
