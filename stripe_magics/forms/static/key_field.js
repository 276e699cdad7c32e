// A field without a value. What is typed leaves as a message, mixed with random bytes that the kernel gave
// for this one message: a log of the messages (Jupyter's own loggers write them down at DEBUG) holds nothing
// that can be read.
export default {
  render({model, el}) {
    el.classList.add("sm-key");
    const id = "sm-key-" + Math.random().toString(36).slice(2);
    const label = document.createElement("label");
    label.htmlFor = id;
    const input = document.createElement("input");
    Object.assign(input, {id, type: "password", autocomplete: "off", spellcheck: false});
    for (const name of ["data-lpignore", "data-1p-ignore", "data-bwignore"]) input.setAttribute(name, "true");
    const button = document.createElement("button");
    button.type = "button";
    const clears = () => model.get("action") === "Clear";
    const show = () => {
      label.textContent = model.get("label");
      input.placeholder = model.get("hint");
      button.textContent = model.get("action");
    };
    show();
    let waiting = null;
    const hand = () => {
      const key = input.value.trim();
      input.value = "";
      if (!key) return;
      waiting = new TextEncoder().encode(key);
      model.send({want: id});
    };
    const heard = (content) => {
      if (content.view !== id || waiting === null) return;
      const pad = Uint8Array.from(atob(content.pad), (each) => each.charCodeAt(0));
      if (waiting.length <= pad.length) {
        waiting.forEach((byte, at) => { pad[at] ^= byte; });
        model.send({number: content.number, mixed: btoa(String.fromCharCode(...pad))});
      } else {
        model.send({number: content.number, mixed: ""});
      }
      waiting = null;
    };
    const pressed = () => {
      if (!clears()) { hand(); return; }
      input.value = "";
      model.send({clear: true});
    };
    model.on("msg:custom", heard);
    model.on("change", show);
    // the input isn't left before
    button.addEventListener("mousedown", (event) => { if (clears()) event.preventDefault(); });
    button.addEventListener("click", pressed);
    input.addEventListener("blur", () => { if (clears()) hand(); });
    input.addEventListener("keydown", (event) => {
      event.stopPropagation();
      if (event.key === "Enter") hand();
    });
    el.replaceChildren(label, input, button);
    return () => {
      model.off("msg:custom", heard);
      model.off("change", show);
      input.value = "";
      waiting = null;
      el.replaceChildren();
    };
  },
};
