/** Draws the reference with Swagger UI, in the browser. A token is kept only in the page's memory. */

/** Placeholder for a credential in the copied command line. */
const shownInstead = 'YOUR_TOKEN';
const carriers = ['authorization', 'x-api-key', 'x-goog-api-key'];

/** Ids of Swagger UI's input fields for credentials. */
const credentialInputs = ['auth-bearer-value', 'api_key_value'];
const concealed = { type: 'password', autoComplete: 'off', spellCheck: false };

/** The request for the copied command line, with its credential hidden: other people may see the page or a screenshot of it. */
function withoutCredential(request) {
  const headers = request.get('headers');
  if (!headers) return request;
  const hidden = headers.map((value, name) => {
    if (!carriers.includes(String(name).toLowerCase())) return value;
    return /^Bearer /i.test(String(value)) ? `Bearer ${shownInstead}` : shownInstead;
  });
  return request.set('headers', hidden);
}

/** Swagger UI's components that are wrapped. */
function ownParts() {
  return {
    wrapComponents: {
      curl:
        (Original, { React }) =>
        (props) =>
          React.createElement(Original, { ...props, request: withoutCredential(props.request) }),
      // Text typed into the dialog of credentials is not shown, and the browser does not remember it.
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

// Links to operations open in this page, because a new tab would not have the token.
document.addEventListener('click', (event) => {
  const link = event.target instanceof Element ? event.target.closest('a[href^="#/"]') : null;
  if (link === null || !link.closest('.info')) return;
  event.preventDefault();
  location.hash = link.getAttribute('href');
  ui.layoutActions.parseDeepLinkHash(location.hash);
});
