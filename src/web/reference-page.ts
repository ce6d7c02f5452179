import { pageStart } from './page-start.ts';

/** The page `/docs`, in which Swagger UI is drawn. It has no inline script and no inline style, so that the content security policy can forbid both. */
export const referencePage = `${pageStart('ola reference')}
<link rel="stylesheet" href="/static/swagger-ui.css">
<link rel="stylesheet" href="/static/docs.css">
</head>
<body>
<header class="bar">
<a class="name" href="/docs">ola</a>
<span class="version" id="version"></span>
<nav><a href="/docs/json">OpenAPI document</a><a href="/health">Health</a><a href="/static/swagger-ui-licence.txt">Licences</a></nav>
</header>
<main id="reference"><p class="wait">Loading the reference …</p></main>
<noscript><p class="wait">This page is drawn by a script. Without one, read <a href="/docs/json">the OpenAPI document</a>.</p></noscript>
<script src="/static/swagger-ui.js"></script>
<script src="/static/docs.js"></script>
</body>
</html>
`;
