// Rows of names and values in place of a JSON text, which stays the field that is sent. Without this file it can be typed into.
// A text that isn't an object of plain values is left as it is, so that nothing of it is lost.
class Pairs {
  constructor(field, secretField) {
    this.source = field.querySelector("textarea");
    this.secrets = secretField && secretField.querySelector("textarea");
    this.clear = secretField && secretField.querySelector("input[type=checkbox]");
    this.stored = secretField ? JSON.parse(secretField.dataset.stored) : {};
    this.label = field.querySelector("label").firstChild.textContent.trim();
    this.looks = document.querySelector("#config-form input[name=name]").className;
    this.rows = [];
    const given = Pairs.read(this.source.value);
    if (!given) return;
    this.draw(field);
    for (const [name, value] of Object.entries(given)) {
      for (const one of Array.isArray(value) ? value : [value]) {
        this.add({ name, given: one, list: Array.isArray(value) });
      }
    }
    if (secretField) this.take(secretField);
    this.mark(field);
  }

  // The object that a text holds; null if it can't be shown in rows.
  static read(text, { mayKeep = false } = {}) {
    let value = {};
    try {
      value = text.trim() ? JSON.parse(text) : {};
    } catch {
      return null;
    }
    if (value === null || typeof value !== "object" || Array.isArray(value)) return null;
    const isPlain = (one) => (one === null ? mayKeep : typeof one !== "object");
    const plain = Object.values(value).flat().every(isPlain);
    const empty = Object.values(value).some((one) => Array.isArray(one) && !one.length);
    return plain && !empty ? value : null;
  }

  draw(field) {
    const label = field.querySelector("label");
    label.id = `${this.source.id}_label`;
    label.removeAttribute("for");
    this.list = element("div", { className: "c-pair-list" });
    this.names = element("datalist", { id: `${this.source.id}_names` });
    for (const name of (field.dataset.names || "").split(" ").filter(Boolean)) {
      this.names.append(element("option", { value: name }));
    }
    this.button = element("button", { type: "button", className: "c-button c-small" }, "Add row");
    this.button.addEventListener("click", () => this.add({}).name.focus());
    this.box = element("div", { className: "c-pairs" }, this.list, this.names, this.button);
    this.box.setAttribute("role", "group");
    this.box.setAttribute("aria-labelledby", label.id);
    const words = this.source.getAttribute("aria-describedby");
    if (words) this.box.setAttribute("aria-describedby", words);
    this.box.addEventListener("input", () => this.write());
    this.box.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || event.target.tagName !== "INPUT") return;
      event.preventDefault();
      this.add({}).name.focus();
    });
    field.querySelector("[data-json]").remove();
    this.source.hidden = true;
    this.source.after(this.box);
  }

  // The secret field has no rows of its own: what it holds and says comes here. In a form that was refused it holds the typed
  // names, with blanks for values, and null for what stays as it is stored.
  take(secretField) {
    const typed = Pairs.read(this.secrets.value, { mayKeep: true }) || {};
    const cleared = this.clear && this.clear.checked;
    const names = Object.keys(typed).length ? typed : cleared ? {} : this.stored;
    for (const name of Object.keys(names)) {
      const given = name in typed ? typed[name] : null;
      const told = this.stored[name] || "";
      for (const one of [given].flat()) {
        this.add({ name, secret: true, told, list: Array.isArray(given), again: one !== null });
      }
    }
    if (Object.keys(typed).length) this.write();
    for (const errors of secretField.querySelectorAll(".c-errors")) this.box.after(errors);
    secretField.hidden = true;
  }

  // The rows that the errors speak of.
  mark(field) {
    const errors = [...field.querySelectorAll(".c-errors li")].map((error) => error.textContent);
    for (const { name } of this.rows) {
      const begins = name.value ? [`${name.value} `, `The value of ${name.value} `] : ["A value has no name"];
      if (errors.some((error) => begins.some((words) => error.startsWith(words)))) name.setAttribute("aria-invalid", "true");
    }
  }

  add({ name = "", given = "", list = false, secret = false, told = "", again = false }) {
    const row = { given, list, kept: Boolean(told), text: String(given) };
    row.name = element("input", { type: "text", className: this.looks, value: name, placeholder: "Name" });
    row.value = element("input", { type: secret ? "password" : "text", className: this.looks, value: row.text });
    for (const [input, what] of [[row.name, "name"], [row.value, "value"]]) {
      input.setAttribute("aria-label", `${this.label}: ${what}`);
      input.autocomplete = input.type === "password" ? "new-password" : "off";
      input.spellcheck = false;
    }
    row.value.placeholder = row.kept ? `${told}. Blank keeps it.` : "Value";
    if (again) {
      row.value.placeholder = `Type the value again${row.kept ? ". Blank keeps the stored one." : ""}`;
      row.value.setAttribute("aria-invalid", "true");
    }
    row.value.title = row.kept || again ? row.value.placeholder : "";
    row.name.readOnly = row.kept;
    if (this.names.childElementCount) row.name.setAttribute("list", this.names.id);
    const cells = [row.name, row.value];
    if (this.secrets) {
      row.secret = element("input", { type: "checkbox", checked: secret, disabled: row.kept });
      row.secret.addEventListener("change", () => {
        row.value.type = row.secret.checked ? "password" : "text";
        this.write();
      });
      cells.push(element("label", { className: "c-pair-secret" }, row.secret, "Secret"));
    }
    const remove = element("button", { type: "button", className: "c-button c-small c-pair-remove", title: "Remove" });
    remove.setAttribute("aria-label", `Remove ${name || "this row"}`);
    const icon = element("span", { className: "material-symbols-outlined" }, "close");
    icon.setAttribute("aria-hidden", "true");
    remove.append(icon);
    remove.addEventListener("click", () => this.remove(row));
    row.name.addEventListener("input", () => {
      remove.setAttribute("aria-label", `Remove ${row.name.value || "this row"}`);
    });
    row.element = element("div", { className: "c-pair" }, ...cells, remove);
    this.rows.push(row);
    this.list.append(row.element);
    return row;
  }

  remove(row) {
    const index = this.rows.indexOf(row);
    this.rows.splice(index, 1);
    row.element.remove();
    const next = this.rows[index] || this.rows[index - 1];
    (next ? next.name : this.button).focus();
    this.write();
  }

  // Values by name, several of one name as a list. A value that wasn't touched keeps its type.
  collected(rows) {
    const found = new Map();
    for (const row of rows) {
      if (!row.name.value && !row.value.value) continue;
      const group = found.get(row.name.value) || { values: [], list: false, kept: false };
      const silent = row.secret && row.secret.checked && !row.value.value;
      if (!silent) group.values.push(row.value.value === row.text ? row.given : row.value.value);
      group.list ||= row.list || group.values.length > 1;
      group.kept ||= row.kept;
      found.set(row.name.value, group);
    }
    return Object.fromEntries([...found].map(([name, { values, list, kept }]) => {
      if (!values.length) return [name, kept ? null : ""];
      return [name, list ? values : values[0]];
    }));
  }

  write() {
    const isSecret = (row) => Boolean(row.secret && row.secret.checked);
    const plain = this.collected(this.rows.filter((row) => !isSecret(row)));
    this.source.value = Object.keys(plain).length ? JSON.stringify(plain) : "";
    if (!this.secrets) return;
    const secret = this.collected(this.rows.filter(isSecret));
    const names = Object.keys(secret);
    const stored = Object.keys(this.stored);
    const same = names.length === stored.length && names.every((name) => secret[name] === null);
    this.secrets.value = names.length && !same ? JSON.stringify(secret) : "";
    if (this.clear) this.clear.checked = stored.length > 0 && !names.length;
  }
}

function element(tag, properties, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}

for (const field of document.querySelectorAll("[data-pairs]")) {
  const name = field.querySelector("textarea").name;
  new Pairs(field, document.querySelector(`[data-secrets-of="${name}"]`));
}
