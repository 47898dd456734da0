// Runs in the browser: shows the document that the page names.
const place = document.getElementById("docs");
SwaggerUIBundle({
  url: place.dataset.document,
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
});
