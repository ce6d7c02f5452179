/** `/docs`, its document and its files. What they are made of is loaded when it is asked for: a start does not pay for it. */
import { Type } from '@sinclair/typebox';
import type { Gateway } from '../../gateway/gateway.ts';
import { type AssetPath, assetList } from '../../web/asset-list.ts';
import { referencePage } from '../../web/reference-page.ts';
import { welcomePage } from '../../web/welcome-page.ts';
import { publicRoute, type Route } from '../route.ts';
import { sendFile, type TextFile, textFile } from '../static-text.ts';
import { nothingAt } from '../unknown-path.ts';

const open = { additionalProperties: true } as const;
const openApiDocument = Type.Object({ openapi: Type.String(), info: Type.Object({}, open) }, open);

/** Nothing but what this gateway serves, and no script or style that stands in the page itself. */
const pagePolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** @param routes all that are served, these too; asked for when the document is made */
export function referenceRoutes({ health }: Gateway, routes: () => readonly Route[]): Route[] {
  const pageFile = once(() => textFile('text/html; charset=utf-8', referencePage));
  const documentFile = once(async () => {
    const { referenceDocument } = await import('../reference/document.ts');
    const { version } = await health.report();
    return textFile('application/json', JSON.stringify(await referenceDocument(routes(), version)));
  });
  const welcomeFile = once(() => textFile('text/html; charset=utf-8', welcomePage));
  return [
    publicRoute({ method: 'GET', path: '/', summary: 'The welcome page, for browsers' }, async (call) => {
      // Programs that probe this address know it as one that serves nothing.
      if (!/\btext\/html\b/i.test(call.request.headers.get('accept') ?? '')) throw nothingAt('/', routes());
      return sendFile(call, await welcomeFile(), { 'content-security-policy': pagePolicy, vary: 'Accept, Accept-Encoding' });
    }),
    publicRoute({ method: 'GET', path: '/docs', summary: 'The reference as a page' }, async (call) =>
      sendFile(call, await pageFile(), {
        'content-security-policy': pagePolicy,
        'cross-origin-opener-policy': 'same-origin',
      }),
    ),
    publicRoute(
      { method: 'GET', path: '/docs/json', summary: 'The reference as an OpenAPI document', answer: openApiDocument },
      async (call) => sendFile(call, await documentFile()),
    ),
    ...assetList.map(({ path, type, what }) => {
      const file = once(() => loadAsset(path, type));
      return publicRoute({ method: 'GET', path, summary: what.replace(/[.,].*$/, '') }, async (call) =>
        sendFile(call, await file()),
      );
    }),
  ];
}

async function loadAsset(path: AssetPath, type: string): Promise<TextFile> {
  const { assets } = await import('../../web/assets.ts');
  return textFile(type, assets[path]);
}

/** Made at the first call and kept; a failure is not. */
function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | null = null;
  return () => {
    made ??= make().catch((thrown: unknown) => {
      made = null;
      throw thrown;
    });
    return made;
  };
}
