/** The version of Anthropic's API, which each request names. */
import type { HeaderMap } from '../../core/ports.ts';

export const versionHeader = 'anthropic-version';

/** For a request whose client names none. @see https://docs.anthropic.com/en/api/versioning */
export const versionHeaders: HeaderMap = { [versionHeader]: '2023-06-01' };
