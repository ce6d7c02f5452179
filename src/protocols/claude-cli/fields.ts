/** The fate of each field of the hub in a call of Claude Code: what is no text of the prompt would be a switch of the program. */
import type { CarriedFields, Fate } from '../../core/hub-fields.ts';

const noTools: Fate = { refused: 'Claude Code runs without tools, and takes none of a client' };
const noMedia: Fate = { refused: 'Claude Code takes images as data, and no other media' };
const noSwitch: Fate = {
  dropped: 'Claude Code has no switch for it, or would take it on its command line, where others read it',
};
const noChoice: Fate = { refused: 'there is no tool to choose' };
const unread: Fate = { dropped: 'Claude Code cannot be given reasoning of earlier turns' };

export const upstream: CarriedFields['upstream'] = {
  system: { adapted: 'the first text of the prompt, behind the instructions that are ola’s own' },
  systemInTheMiddle: { adapted: 'a turn of the prompt' },
  text: { adapted: 'the turns are told one after the other, in one message of the user; lone surrogates become U+FFFD' },
  imageData: 'carried',
  imageUrl: noMedia,
  documentData: noMedia,
  documentUrl: noMedia,
  documentText: { adapted: 'a text under its title' },
  audio: noMedia,
  video: noMedia,
  reasoning: unread,
  signedReasoning: unread,
  redactedReasoning: unread,
  toolCall: noTools,
  parallelToolCalls: noTools,
  customToolCall: noTools,
  toolResult: noTools,
  failedToolResult: noTools,
  imageInToolResult: noTools,
  documentInToolResult: noTools,
  refusal: { adapted: 'a text of the assistant' },
  foreignBlock: { refused: 'only its own protocol knows it' },
  functionTool: noTools,
  customTool: noTools,
  strictTool: noTools,
  toolChoiceAuto: noChoice,
  toolChoiceNone: noChoice,
  toolChoiceRequired: noChoice,
  toolChoiceNamed: noChoice,
  toolChoiceAllowed: noChoice,
  parallelTools: noSwitch,
  maxTokens: noSwitch,
  temperature: noSwitch,
  topP: noSwitch,
  topK: noSwitch,
  seed: noSwitch,
  frequencyPenalty: noSwitch,
  presencePenalty: noSwitch,
  stop: noSwitch,
  formatJson: { adapted: 'an instruction at the end of the prompt' },
  formatSchema: { refused: 'Claude Code would take the schema on its command line, where others read it' },
  effort: noSwitch,
  reasoningBudget: noSwitch,
  reasoningSummary: noSwitch,
  cacheHint: { dropped: 'Claude Code sets its own' },
  cacheKey: { dropped: 'Anthropic finds its cache by the prompt' },
  user: { dropped: 'Claude Code names its own user' },
  stream: 'carried',
};
