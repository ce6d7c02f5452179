import type { UpstreamModel } from '../../src/core/protocol.ts';
import { noQuirks } from '../../src/core/providers.ts';

/** An upstream's model of which nothing is known. */
export function upstreamModel(id: string, rest: Partial<UpstreamModel> = {}): UpstreamModel {
  return { id, provider: 'mock', protocol: 'mock-protocol', quirks: noQuirks, facts: null, maker: 'maker', ...rest };
}
