/** The table of protocols: a folder each. A new one is its folder and a line here. */
import type { Protocol } from '../core/protocol.ts';
import { openaiCompletions } from './openai-completions/protocol.ts';

export const protocols: readonly Protocol[] = [openaiCompletions];
