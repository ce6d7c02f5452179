/** The files below `/static`, by name and type, so that routes and reference know them without loading the files. */

export interface AssetRow {
  readonly path: `/static/${string}`;
  /** Content-Type of the file. */
  readonly type: string;
  /** `operationId` of the file's route in the reference. */
  readonly id: string;
  readonly what: string;
}

const javascript = 'text/javascript; charset=utf-8';
const css = 'text/css; charset=utf-8';
const text = 'text/plain; charset=utf-8';

export const assetList = [
  { path: '/static/docs.js', type: javascript, id: 'getReferenceScript', what: 'Script that sets up the reference page.' },
  { path: '/static/docs.css', type: css, id: 'getReferenceStyle', what: 'Style of the reference page.' },
  { path: '/static/swagger-ui.js', type: javascript, id: 'getSwaggerUiScript', what: 'Swagger UI, which draws the reference.' },
  { path: '/static/swagger-ui.css', type: css, id: 'getSwaggerUiStyle', what: 'Style of Swagger UI.' },
  {
    path: '/static/swagger-ui-licence.txt',
    type: text,
    id: 'getSwaggerUiLicence',
    what: 'Licences of Swagger UI and of the packages in it.',
  },
] as const satisfies readonly AssetRow[];

export type AssetPath = (typeof assetList)[number]['path'];
