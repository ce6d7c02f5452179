/** The page `/docs`, in which Swagger UI is drawn. It has no inline script and no inline style, so that the content security policy can forbid both. */
export const page = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>ola reference</title>
<link rel="icon" href="data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E%3Crect width='16' height='16' rx='4' fill='%23155e75'/%3E%3Ccircle cx='8' cy='8' r='4' fill='none' stroke='%23fff' stroke-width='2.2'/%3E%3C/svg%3E">
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
