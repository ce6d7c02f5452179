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

/** An answer with an error shows its codes; its examples and headers are folded, because thirty of them hide the answer that is wanted. */
const foldedError =
  (Original, { React }) =>
  (props) => {
    const [isOpen, setOpen] = React.useState(false);
    if (Number(props.code) < 400) return React.createElement(Original, props);
    const shown = isOpen ? props.response : props.response.delete('content').delete('headers');
    const toggle = { type: 'button', className: 'fold', 'aria-expanded': isOpen, onClick: () => setOpen(!isOpen) };
    return React.createElement(
      React.Fragment,
      null,
      React.createElement(Original, { ...props, response: shown }),
      React.createElement(
        'tr',
        { className: 'response' },
        React.createElement('td', { className: 'response-col_status' }),
        React.createElement('td', null, React.createElement('button', toggle, isOpen ? 'Hide examples' : 'Show examples')),
      ),
    );
  };

/** Fills in the parameters that fit a chosen example. A value that the user has typed stays. */
function fillParameters({ specActions, specSelectors }, { name, pathMethod }) {
  const operation = specSelectors.specJson().getIn(['paths', ...pathMethod]);
  const examples = operation.getIn(['requestBody', 'content'])?.first()?.get('examples');
  const fitting = examples?.getIn([name, 'x-parameters']);
  if (!fitting) return;
  for (const parameter of operation.get('parameters')) {
    const wanted = fitting.get(parameter.get('name'));
    const present = specSelectors.parameterWithMetaByIdentity(pathMethod, parameter).get('value');
    const own = examples.map((each) => each.getIn(['x-parameters', parameter.get('name')])).includes(present);
    if (wanted && (own || !present)) specActions.changeParamByIdentity(pathMethod, parameter, wanted);
  }
}

/** Parts of Swagger UI that are wrapped. */
function ownParts() {
  return {
    statePlugins: {
      auth: {
        wrapSelectors: {
          // The document has three headers that carry the same token; the dialog asks for it once.
          definitionsToAuthorize: (original) => (state) => original(state)?.filter((each) => each.has('bearer')),
        },
      },
      oas3: {
        wrapActions: {
          setActiveExamplesMember: (original, system) => (chosen) => {
            if (chosen.contextType === 'requestBody') fillParameters(system, chosen);
            return original(chosen);
          },
        },
      },
    },
    wrapComponents: {
      response: foldedError,
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

/** Opens the operation that the address names, and scrolls to it as soon as it is drawn. */
function lead() {
  const [, tag, id] = location.hash.split('/');
  if (id === undefined) return;
  ui.layoutActions.parseDeepLinkHash(location.hash);
  const end = performance.now() + 2000;
  (function look() {
    const found = document.getElementById(`operations-${tag}-${id}`);
    if (found?.classList.contains('is-open')) {
      found.scrollIntoView();
      found.querySelector('.opblock-summary-control').focus({ preventScroll: true });
    } else if (performance.now() < end) requestAnimationFrame(look);
  })();
}
addEventListener('hashchange', lead);

// Links to operations open in this page, because a new tab would not have the token.
document.addEventListener('click', (event) => {
  const link = event.target instanceof Element ? event.target.closest('a[href^="#/"]') : null;
  if (link === null || !link.closest('.info')) return;
  event.preventDefault();
  const target = link.getAttribute('href');
  if (location.hash === target) lead();
  else location.hash = target;
});
