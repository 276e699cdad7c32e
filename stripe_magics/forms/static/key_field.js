// A field without a value. What is typed leaves as a message, mixed with random bytes that the kernel gave for this one message: a log of the
// messages (Jupyter's own loggers write them down at DEBUG) holds nothing that can be read.
export default {
  render({model, el}) {
    el.classList.add("sm-key");
    const id = "sm-key-" + Math.random().toString(36).slice(2);
    const label = document.createElement("label");
    label.htmlFor = id;
    label.textContent = "Secret key";
    const input = document.createElement("input");
    Object.assign(input, {id, type: "password", autocomplete: "off", spellcheck: false, placeholder: "sk_test_... or rk_test_..."});
    for (const name of ["data-lpignore", "data-1p-ignore", "data-bwignore"]) input.setAttribute(name, "true");
    const button = document.createElement("button");
    Object.assign(button, {type: "button", textContent: "Connect"});
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
    model.on("msg:custom", heard);
    button.addEventListener("click", hand);
    input.addEventListener("keydown", (event) => {
      event.stopPropagation();
      if (event.key === "Enter") hand();
    });
    el.replaceChildren(label, input, button);
    return () => { model.off("msg:custom", heard); input.value = ""; waiting = null; el.replaceChildren(); };
  },
};
