"""Panels that show what Stripe knows of people without keeping it: neither in a widget's state nor, so, in a saved notebook.

Text in an ordinary widget is part of the widget's state, which notebooks may save. These panels have no state: the kernel *sends* what
they show, the browser draws it, and asks for it again after a reload. Everything is put in as text, never as HTML.

- `compare`: what the object has now and what it will have, with Edit, Clear and Keep for each field;
- `choose`: objects found, one to be taken;
- `say`: a line of text.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import anywidget

_ESM = """
function node(tag, attrs, ...inside) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attrs || {})) made.setAttribute(name, value);
  for (const each of inside) made.append(each);
  return made;
}
const VIEWS = {
  say(model, data) { return [node("div", {role: "status", class: "sm-said"}, data.text)]; },
  choose(model, data) {
    const list = node("select", {size: String(Math.min(7, Math.max(2, data.rows.length))), "aria-label": data.label, class: "sm-choose"});
    data.rows.forEach((row, i) => list.append(node("option", {value: row.id, ...(i === 0 ? {selected: ""} : {})}, row.text)));
    const take = () => list.value && model.send({take: list.value});
    list.addEventListener("dblclick", take);
    list.addEventListener("keydown", (event) => { if (event.key === "Enter") { event.preventDefault(); take(); } });
    const button = node("button", {type: "button"}, "Use this one");
    button.addEventListener("click", take);
    const close = node("button", {type: "button"}, "Close");
    close.addEventListener("click", () => model.send({take: ""}));
    return [node("div", {class: "sm-said"}, data.text), list, node("div", {class: "sm-buttons"}, button, close)];
  },
  compare(model, data) {
    const body = node("tbody");
    for (const row of data.rows) {
      const doing = node("td");
      for (const [word, label] of row.actions) {
        const button = node("button", {type: "button", "aria-label": label + " " + row.title}, label);
        button.addEventListener("click", () => model.send({[word]: row.name}));
        doing.append(button);
      }
      body.append(node("tr", row.changed ? {class: "sm-changed"} : {}, node("td", {}, row.title), node("td", {}, row.now),
        node("td", {}, row.after), doing));
    }
    const heads = ["Field", "Now", "After", ""].map((text) => node("th", {}, text));
    return [node("div", {class: "sm-said", role: "status"}, data.text),
      node("div", {class: "sm-scroll", tabindex: "0", role: "group", "aria-label": "Now and after"},
        node("table", {"aria-label": "What changes"}, node("thead", {}, node("tr", {}, ...heads)), body))];
  },
};
export default {
  render({model, el}) {
    el.classList.add("sm-private");
    const draw = (message) => {
      if (!message || !message.view) return;
      el.replaceChildren(...(VIEWS[message.view] ? VIEWS[message.view](model, message.data) : []));
      if (message.view === "choose") el.querySelector("select").focus();
    };
    model.on("msg:custom", draw);
    model.send({ready: true});
    return () => model.off("msg:custom", draw);
  },
};
"""

_CSS = """
.sm-private{font-size:12px;line-height:1.45;margin:4px 0;color:var(--jp-ui-font-color1,#222)}
.sm-private .sm-scroll{max-height:240px;overflow:auto;border:1px solid var(--jp-border-color2,#e3e6ec);border-radius:6px;margin:4px 0 8px}
.sm-private .sm-said{font-weight:600}
.sm-private thead th{position:sticky;top:0;background:var(--jp-layout-color1,#fff)}
.sm-private table{border-collapse:collapse;width:100%;margin:0}
.sm-private th,.sm-private td{text-align:left;padding:3px 10px 3px 8px;border-bottom:1px solid var(--jp-border-color2,#e3e6ec);
 vertical-align:top;overflow-wrap:anywhere}
.sm-private th{font-weight:600;color:var(--jp-ui-font-color2,#667085)}
.sm-private th:nth-child(2),.sm-private th:nth-child(3){width:29%}
.sm-private td:last-child{white-space:nowrap;text-align:right}
.sm-private .sm-changed td:nth-child(2){text-decoration:line-through;opacity:.65}
.sm-private .sm-changed td:nth-child(3){font-weight:600;color:#147a48}
.sm-private button{border:1px solid var(--jp-border-color2,#c9d0da);border-radius:5px;background:var(--jp-layout-color1,#fff);color:inherit;
 font-size:11.5px;padding:1px 8px;margin-left:5px;cursor:pointer}
.sm-private select{width:100%;max-width:560px;font-size:12px;margin-top:3px;color:inherit;background:var(--jp-layout-color1,#fff)}
.sm-private .sm-buttons{margin:4px 0}.sm-private .sm-buttons button{margin:0 6px 0 0}
"""


class EphemeralPanel(anywidget.AnyWidget):
    """A panel without state. `show` sends what it shows; `told` is called with what a person does there."""

    _esm = _ESM
    _css = _CSS

    def __init__(self, told: Callable[[dict[str, Any]], None], **traits: Any) -> None:
        self.shown: dict[str, Any] = {}  # kept here only, for a page that is loaded again
        self._told = told
        super().__init__(**traits)
        self.on_msg(self._heard)

    def show(self, view: str, **data: Any) -> None:
        """Show one of the views, in every open page."""
        self.shown = {"view": view, "data": data}
        self.send(self.shown)

    def empty(self) -> None:
        """Show nothing, and forget what was shown."""
        self.shown = {}
        self.send({"view": "nothing", "data": {}})

    def _heard(self, _: Any, content: dict[str, Any], buffers: Any) -> None:
        if content.get("ready"):
            if self.shown:
                self.send(self.shown)
        else:
            self._told(content)

    def __repr__(self) -> str:
        return "<a panel that keeps nothing>"
