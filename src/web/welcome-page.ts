import { pageStart } from './page-start.ts';

/** The page that a browser gets at `/`, the address that `ola serve` prints. It has no script, and works without a token. */
export const welcomePage = `${pageStart('ola')}
<link rel="stylesheet" href="/static/docs.css">
</head>
<body>
<header class="bar">
<a class="name" href="/">ola</a>
<nav><a href="/docs">Reference</a><a href="/docs/json">OpenAPI document</a><a href="/health">Health</a></nav>
</header>
<main class="welcome">
<h1>ola runs here</h1>
<p>This address is a gateway to language models. Programs call it; people set it up with the command <code>ola</code> or on the <a href="/docs">reference page</a>.</p>
<ol>
<li><b>Get a token:</b> <code>ola token create NAME</code>, on the machine that ola runs on.</li>
<li><b>Add a provider:</b> <code>ola config set providers.openai.apiKey</code> asks for your key; or use <code>PUT /config/providers/{id}</code> on the reference page. The demo needs none.</li>
<li><b>Point a client at it:</b> its base URL is this address with <code>/v1</code> at the end, and its API key is the token.</li>
<li><b>Ask</b> for the model <code>PROVIDER/MODEL</code>. <code>GET /v1/models</code> lists the models that can be used now.</li>
</ol>
</main>
</body>
</html>
`;
