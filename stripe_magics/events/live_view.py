"""The live view: a table that grows in place, with a filter, pause, and the object of an event as it is today.

A panel without state: the kernel *sends* rows, the page draws them as text and asks again after a reload. So nothing of an event is kept in a
saved notebook's widget state, and nothing that Stripe's users typed can become HTML. Where there are no widgets the watch is shown as text.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from stripe_magics.errors import StripeMagicsError
from stripe_magics.events import event_frame

if TYPE_CHECKING:
    from stripe_magics.events.event_watch import Watch

_MOST = 500  # rows that a page keeps
_BEGIN = 100  # rows that it begins with

ESM = """
function node(tag, attrs, ...inside) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attrs || {})) made.setAttribute(name, value);
  for (const each of inside) made.append(each);
  return made;
}
const COLUMNS = [["time", "Time (UTC)"], ["type", "Type"], ["object", "Object"], ["amount", "Amount"], ["customer", "Customer"],
  ["request", "Request"]];
export default {
  render({model, el}) {
    el.classList.add("sm-watch");
    let rows = [], seen = new Set(), most = 500;
    const badge = node("b", {class: "sm-watch-mode"});
    const state = node("span", {role: "status", class: "sm-watch-state"});
    const filter = node("input", {type: "search", placeholder: "Filter: type, id, customer", "aria-label": "Filter the events shown"});
    const button = (word, label) => {
      const made = node("button", {type: "button"}, label);
      made.addEventListener("click", () => model.send({[word]: true}));
      return made;
    };
    const pause = button("pause", "Pause"), poll = button("poll", "Read now"), stop = button("stop", "Stop");
    const body = node("tbody");
    const table = node("table", {"aria-label": "Events"}, node("thead", {}, node("tr", {},
      ...COLUMNS.map(([, label]) => node("th", {scope: "col"}, label)))), body);
    const detail = node("div", {class: "sm-watch-detail", "aria-live": "polite"});
    const note = node("div", {class: "sm-watch-note", role: "log"});
    el.append(node("div", {class: "sm-watch-head"}, badge, state, filter, pause, poll, stop), note,
      node("div", {class: "sm-watch-rows", tabindex: "0"}, table), detail);
    const fits = (row) => {
      const wanted = filter.value.trim().toLowerCase();
      return !wanted || COLUMNS.some(([name]) => row.data[name].toLowerCase().includes(wanted));
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
        } else line.append(node("td", {}, data[name]));
      }
      const row = {data, line};
      line.hidden = !fits(row);
      rows.push(row);
      body.prepend(line);
      while (rows.length > most) { const old = rows.shift(); seen.delete(old.data.id); old.line.remove(); }
    };
    filter.addEventListener("input", () => rows.forEach((row) => { row.line.hidden = !fits(row); }));
    const hear = (message) => {
      if (!message) return;
      if (message.begin) { body.replaceChildren(); rows = []; seen = new Set(); most = message.most; }
      (message.rows || []).forEach(draw);
      if (message.status) {
        const s = message.status;
        badge.textContent = s.mode; badge.classList.toggle("sm-live", s.live);
        state.textContent = s.text; pause.textContent = s.paused ? "Resume" : "Pause";
        pause.disabled = poll.disabled = stop.disabled = s.ended;
      }
      if (message.note !== undefined) note.textContent = message.note;
      if (message.object) {
        const close = node("button", {type: "button"}, "Close");
        close.addEventListener("click", () => detail.replaceChildren());
        detail.replaceChildren(node("div", {}, node("b", {}, message.object.title), " ", close),
          node("table", {"aria-label": message.object.title}, node("tbody", {},
            ...message.object.values.map(([k, v]) => node("tr", {}, node("th", {scope: "row"}, k), node("td", {}, v))))));
      }
    };
    model.on("msg:custom", hear);
    model.send({ready: true});
    return () => { model.off("msg:custom", hear); model.send({gone: true}); };
  },
};
"""

CSS = """
.sm-watch{font-size:12px;line-height:1.45;color:var(--jp-ui-font-color1,#222);border:1px solid var(--jp-border-color2,#d8dce3);
 border-radius:8px;padding:8px 12px}
.sm-watch-head{display:flex;gap:8px;align-items:center;flex-wrap:wrap}.sm-watch-state{flex:1 1 180px}
.sm-watch-mode{background:#3f5fbf;color:#fff;border-radius:10px;padding:1px 8px;font-size:11px;letter-spacing:.06em}
.sm-watch-mode.sm-live{background:#b42318}
.sm-watch button{border:1px solid var(--jp-border-color2,#c9d0da);border-radius:5px;background:var(--jp-layout-color1,#fff);color:inherit;
 font-size:11.5px;padding:1px 8px;cursor:pointer}.sm-watch button:disabled{opacity:.5;cursor:default}
.sm-watch td button{border:0;background:none;padding:0;text-align:left;text-decoration:underline dotted;font-family:inherit}
.sm-watch input{font-size:12px;padding:1px 6px;width:200px;color:inherit;background:var(--jp-layout-color1,#fff);
 border:1px solid var(--jp-border-color2,#c9d0da);border-radius:5px}
.sm-watch-rows{max-height:330px;overflow:auto;margin-top:6px}
.sm-watch table{border-collapse:collapse;width:100%}
.sm-watch th,.sm-watch td{text-align:left;padding:2px 10px 2px 2px;border-bottom:1px solid var(--jp-border-color2,#e3e6ec);
 vertical-align:top;white-space:nowrap}
.sm-watch-detail td{white-space:normal;overflow-wrap:anywhere}
.sm-watch th{font-weight:600;color:var(--jp-ui-font-color2,#667085)}
.sm-watch-rows :is(td,th):nth-child(4){text-align:right}
.sm-watch-note{color:#93580a;margin-top:3px}.sm-watch-detail:not(:empty){margin-top:8px;max-height:260px;overflow:auto}
"""


def show(watch: Watch) -> None:
    """Display the watch: the live view in a notebook, text in a terminal."""
    from IPython.display import display

    view = _view(watch)
    if view is None:
        print(event_frame.text(watch))
    else:
        display(view)


def _view(watch: Watch) -> Any:
    """The panel of a watch, or None where there is no notebook to show it in."""
    shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    if shell is None or not hasattr(shell, "kernel"):
        return None
    return panel(watch)


def panel(watch: Watch) -> Any:
    """The panel of a watch, whatever the front end."""
    from stripe_magics.events.live_widget import Panel

    return Panel(LiveViewModel(watch))


class LiveViewModel:
    """What one panel shows of a watch, and what it does when it is told. Knows nothing of widgets: `send` is the panel's."""

    def __init__(self, watch: Watch) -> None:
        self.watch = watch
        self.send: Any = lambda message: None
        self.open_pages = 0

    def attach(self, send: Any) -> None:
        """Begin to hear of events."""
        self.send = send
        self.watch.listeners.append(self.on_update)

    def detach(self) -> None:
        """Hear no more."""
        if self.on_update in self.watch.listeners:
            self.watch.listeners.remove(self.on_update)

    def on_update(self, what: str, data: Any) -> None:
        """The watch has news."""
        if what == "events":
            self.send({"rows": [event_frame.row(event) for event in data], "status": self.status()})
        elif what == "note":
            self.send({"note": data, "status": self.status()})
        else:
            self.send({"status": self.status()})

    def status(self) -> dict[str, Any]:
        """The line above the table."""
        watch, said = self.watch, self.watch.status()
        parts = [
            said["events"],
            said["state"],
            *([f"every {said['every']}"] if "every" in said else []),
            f"{said['reads']} reads",
        ]
        mode = watch.connection.mode
        return {
            "mode": mode.upper(),
            "live": watch.connection.live,
            "text": " · ".join(parts),
            "paused": watch.state == "paused",
            "ended": not watch.running,
        }

    def told(self, message: dict[str, Any]) -> None:
        """A person did something on the page, or the page came or went."""
        watch = self.watch
        if message.get("ready"):
            watch.pages_open = (watch.pages_open or 0) + 1
            begin = [event_frame.row(each.event) for each in watch.stored(_BEGIN)]
            self.send(
                {
                    "begin": True,
                    "most": _MOST,
                    "rows": begin,
                    "status": self.status(),
                    "note": watch.notes[-1] if watch.notes else "",
                }
            )
        elif message.get("gone"):
            watch.pages_open = max(0, (watch.pages_open or 0) - 1)
        elif message.get("pause"):
            (watch.resume if watch.state == "paused" else watch.pause)()
        elif message.get("stop"):
            watch.stop()
        elif message.get("poll"):
            self._try(watch.poll)
        elif isinstance(message.get("open"), str):
            self._try(lambda: self._open(message["open"]))

    def _try(self, what: Any) -> None:
        try:
            what()
        except (StripeMagicsError, KeyError, ValueError) as error:
            self.send({"note": f"{error}".splitlines()[0], "status": self.status()})

    def _open(self, id: str) -> None:
        subject = self.watch.fetch(id)
        values = [[name, _short(value)] for name, value in subject.items() if value not in (None, "", [], {})]
        self.send(
            {
                "object": {
                    "title": f"{subject.get('object', '')} {subject.get('id', '')} today",
                    "values": values,
                }
            }
        )


def _short(value: Any) -> str:
    import json

    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 300 else f"{text[:300]}…"
