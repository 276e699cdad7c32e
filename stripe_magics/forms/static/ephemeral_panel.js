function node(tag, attrs, ...inside) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attrs || {})) made.setAttribute(name, value);
  for (const each of inside) made.append(each);
  return made;
}
const VIEWS = {
  say(model, data) { return [node("div", {role: "status", class: "sm-said"}, data.text)]; },
  choose(model, data) {
    const list = node("select", {size: String(Math.min(7, Math.max(2, data.rows.length))),
      "aria-label": data.label, class: "sm-choose"});
    data.rows.forEach((row, i) => list.append(
      node("option", {value: row.id, ...(i === 0 ? {selected: ""} : {})}, row.text)));
    const take = () => list.value && model.send({take: list.value});
    list.addEventListener("dblclick", take);
    list.addEventListener("keydown", (event) => {
      if (event.key === "Enter") { event.preventDefault(); take(); }
    });
    const button = node("button", {type: "button"}, "Use this one");
    button.addEventListener("click", take);
    const close = node("button", {type: "button"}, "Close");
    close.addEventListener("click", () => model.send({take: ""}));
    return [node("div", {class: "sm-said"}, data.text), list,
      node("div", {class: "sm-buttons"}, button, close)];
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
      body.append(node("tr", row.changed ? {class: "sm-changed"} : {}, node("td", {}, row.title),
        node("td", {}, row.now),
        node("td", {}, row.after), doing));
    }
    const heads = ["Field", "Now", "After", ""].map((text) => node("th", {}, text));
    if (!data.rows.length) return [node("div", {class: "sm-said", role: "status"}, data.text)];
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
