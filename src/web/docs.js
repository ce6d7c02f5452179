/** Draws the reference with Swagger UI. Runs in the browser; a token stays in its memory and nowhere else. */

/** What the copied command line shows in place of a credential. */
const shownInstead = 'YOUR_TOKEN';
const carriers = ['authorization', 'x-api-key', 'x-goog-api-key'];

/** By their ids in Swagger UI. */
const credentialInputs = ['auth-bearer-value', 'api_key_value'];
const concealed = { type: 'password', autoComplete: 'off', spellCheck: false };

/** The request of a command line, its credential hidden: the page may be shown to others, or a screenshot kept. */
function withoutCredential(request) {
  const headers = request.get('headers');
  if (!headers) return request;
  const hidden = headers.map((value, name) => {
    if (!carriers.includes(String(name).toLowerCase())) return value;
    return /^Bearer /i.test(String(value)) ? `Bearer ${shownInstead}` : shownInstead;
  });
  return request.set('headers', hidden);
}

/** Parts of Swagger UI in other clothes. */
function ownParts() {
  return {
    wrapComponents: {
      curl:
        (Original, { React }) =>
        (props) =>
          React.createElement(Original, { ...props, request: withoutCredential(props.request) }),
      // What is typed into the dialog of credentials is shown to nobody, and not remembered by the browser.
      Input:
        (Original, { React }) =>
        (props) =>
          React.createElement(Original, credentialInputs.includes(props.id) ? { ...props, ...concealed } : props),
    },
  };
}

const ui = SwaggerUIBundle({
  url: '/docs/json',
  dom_id: '#reference',
  plugins: [ownParts],
  deepLinking: true,
  docExpansion: 'list',
  tryItOutEnabled: true,
  displayRequestDuration: true,
  defaultModelsExpandDepth: 0,
  persistAuthorization: false,
  validatorUrl: null,
  onComplete() {
    document.getElementById('version').textContent = ui.specSelectors.info().get('version');
  },
});

const dark = matchMedia('(prefers-color-scheme: dark)');
const paint = () => document.documentElement.classList.toggle('dark-mode', dark.matches);
dark.addEventListener('change', paint);
paint();

// Links to operations: opened here, where the token is, not in another tab.
document.addEventListener('click', (event) => {
  const link = event.target instanceof Element ? event.target.closest('a[href^="#/"]') : null;
  if (link === null || !link.closest('.info')) return;
  event.preventDefault();
  location.hash = link.getAttribute('href');
  ui.layoutActions.parseDeepLinkHash(location.hash);
});
