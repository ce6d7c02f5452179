/** Version and commit of this build, set by `scripts/build.ts`. */
import { unstampedVersion } from './process.ts';

declare const OLA_VERSION: string | undefined;
declare const OLA_COMMIT: string | undefined;

export const version: string = typeof OLA_VERSION === 'undefined' ? unstampedVersion : OLA_VERSION;
const commit: string = typeof OLA_COMMIT === 'undefined' ? 'source' : OLA_COMMIT;

/** `ola 0.1.0 (abc1234) bun 1.4.5 linux-x64` */
export function versionLine(platform: string): string {
  return `ola ${version} (${commit}) ${platform}`;
}
