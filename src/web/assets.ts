/** The files below `/static`, as text. Import this module only when a file is requested: its 2 MB slow the start and stay in memory. */
import swaggerLicence from 'swagger-ui-dist/LICENSE' with { type: 'text' };
import swaggerNotice from 'swagger-ui-dist/NOTICE' with { type: 'text' };
import swaggerStyle from 'swagger-ui-dist/swagger-ui.css' with { type: 'text' };
import swaggerScript from 'swagger-ui-dist/swagger-ui-bundle.js' with { type: 'text' };
import insideLicences from 'swagger-ui-dist/swagger-ui-bundle.js.LICENSE.txt' with { type: 'text' };
import type { AssetPath } from './asset-list.ts';
import style from './docs.css' with { type: 'text' };
import script from './docs.js' with { type: 'text' };

/** Removes the reference to the source map, which is not bundled: a browser with open developer tools would request it in vain. */
const withoutMap = (text: string) => text.replace(/\n?\/[/*]# sourceMappingURL=[^\n]*\s*$/, '\n');

export const assets: Readonly<Record<AssetPath, string>> = {
  '/static/docs.js': script,
  '/static/docs.css': style,
  '/static/swagger-ui.js': withoutMap(swaggerScript),
  '/static/swagger-ui.css': withoutMap(swaggerStyle),
  '/static/swagger-ui-licence.txt': `${swaggerNotice}\n${swaggerLicence}\n${insideLicences}`,
};
