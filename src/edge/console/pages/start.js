// Runs in the browser: shows the document that the page names, and sends calls with the key that was entered.

// The console at / keeps it by the same name, until the tab is closed.
const KEY = "assay-key";
const SCHEME = "bearer";
const place = document.getElementById("docs");

const keptKey = () => sessionStorage.getItem(KEY) ?? "";

function keepKey(key) {
  if (key === "") sessionStorage.removeItem(KEY);
  else sessionStorage.setItem(KEY, key);
}

function fetchDocument() {
  const key = keptKey();
  const headers = { accept: "application/json", ...(key === "" ? {} : { authorization: `Bearer ${key}` }) };
  return fetch(place.dataset.document, { headers });
}

async function open() {
  const response = await fetchDocument();
  if (response.ok) {
    show(await response.json());
    return;
  }
  const { message, error = message } = await response.json().catch(() => ({}));
  const why = error ?? `The document is not to be had: ${response.status}`;
  if (response.status === 401 || response.status === 403) ask(why);
  else place.textContent = why;
}

function element(name, attributes, ...children) {
  const made = Object.assign(document.createElement(name), attributes);
  made.append(...children);
  return made;
}

/** Asks for the key that the document, and each call, is asked for with. */
function ask(why) {
  const field = element("input", { type: "password", id: "key", autocomplete: "off", spellcheck: false });
  const form = element(
    "form",
    { className: "key" },
    element("h1", {}, "Key"),
    element("p", { role: "alert" }, why),
    element("label", { htmlFor: "key" }, "Bearer key or token"),
    field,
    element(
      "p",
      { className: "hint" },
      "It is kept until this tab is closed, and sent to this server alone.",
    ),
    element("button", { type: "submit" }, "Use it"),
  );
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    keepKey(field.value.trim());
    open();
  });
  place.replaceChildren(form);
  field.focus();
}

/** Whoever enters another key under Authorize sees the document of that key. */
const keyPlugin = () => ({
  statePlugins: {
    auth: {
      wrapActions: {
        authorize: (authorize) => (entered) => {
          const key = entered[SCHEME]?.value;
          if (typeof key === "string" && key !== keptKey()) enterKey(key);
          return authorize(entered);
        },
        logout: (logout) => (names) => {
          if (names.includes(SCHEME)) keepKey("");
          return logout(names);
        },
      },
    },
  },
});

let page;

async function enterKey(key) {
  keepKey(key.trim());
  const response = await fetchDocument();
  // A key that is not known shows in the answers of calls.
  if (response.ok) page.getSystem().specActions.updateSpec(await response.text());
}

function show(spec) {
  place.replaceChildren();
  page = SwaggerUIBundle({
    spec,
    domNode: place,
    deepLinking: true,
    displayRequestDuration: true,
    defaultModelsExpandDepth: 0,
    docExpansion: "list",
    filter: true,
    tryItOutEnabled: true,
    // No other host is asked whether the document is valid.
    validatorUrl: null,
    // Of a long answer only the beginning is coloured.
    syntaxHighlight: { activated: true },
    plugins: [keyPlugin],
    onComplete() {
      const key = keptKey();
      if (key !== "" && spec.components.securitySchemes?.[SCHEME]) page.preauthorizeApiKey(SCHEME, key);
    },
  });
}

open();
