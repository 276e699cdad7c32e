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
    const hand = () => {
      const key = input.value.trim();
      input.value = "";
      if (key) model.send({key});
    };
    button.addEventListener("click", hand);
    input.addEventListener("keydown", (event) => {
      event.stopPropagation();
      if (event.key === "Enter") hand();
    });
    el.replaceChildren(label, input, button);
    return () => { input.value = ""; el.replaceChildren(); };
  },
};
