/** Requests of OpenAI's API, towards an upstream: the body as it came with only the model replaced. */
import { isObject } from '../../core/json.ts';
import { dropMembers, membersOf, setMembers } from '../../core/json-text.ts';
import { noQuirks, type ProviderQuirks } from '../../core/providers.ts';
import { spliceModel, withModel } from '../model-splice.ts';

/** The request as it was parsed. */
export type RequestFields = Readonly<Record<string, unknown>>;

export interface EncodedRequest {
  readonly text: string;
  /** The client asked for usage in its stream; without it the usage event is withheld. */
  readonly usageAsked: boolean;
  /** Ola asks for usage in the client's place. */
  readonly usageAdded: boolean;
}

/**
 * @param text the body as the client sent it
 * @param request the same, parsed
 * @param model the upstream's own id
 */
export type Encode = (text: string, request: RequestFields, model: string, quirks: ProviderQuirks) => EncodedRequest;

/** A chat completion, with what the vendor's quirks ask for. */
export function encodeChat(text: string, request: RequestFields, model: string, quirks: ProviderQuirks): EncodedRequest {
  const usageAsked = asksUsage(request);
  const usageAdded = request['stream'] === true && !usageAsked && quirks.noStreamUsage !== true;
  const spliced = refusesFields(quirks) ? null : splice(text, request, model, usageAdded);
  if (spliced !== null) return { text: spliced, usageAsked, usageAdded };
  const values = new Map([['model', JSON.stringify(model)]]);
  if (usageAdded) values.set('stream_options', withUsage(text, request));
  const refused = new Set<string>();
  if (quirks.noStreamUsage === true) refused.add('stream_options');
  if (quirks.noStore === true) refused.add('store');
  if (quirks.noReasoningEffort === true) refused.add('reasoning_effort');
  const messages: unknown = request['messages'];
  if (quirks.noDeveloperRole === true && Array.isArray(messages) && messages.some(isDeveloper)) {
    values.set('messages', JSON.stringify(messages.map((each) => (isDeveloper(each) ? { ...each, role: 'system' } : each))));
  }
  if (quirks.maxTokensOnly === true && Object.hasOwn(request, 'max_completion_tokens')) {
    // The newer name wins when both are there, as at OpenAI.
    refused.add('max_completion_tokens');
    values.set('max_tokens', JSON.stringify(request['max_completion_tokens']));
  }
  return { text: setMembers(refused.size === 0 ? text : dropMembers(text, refused), values), usageAsked, usageAdded };
}

/** Whether a vendor refuses a field of a request that others take. */
function refusesFields(quirks: ProviderQuirks): boolean {
  if (quirks === noQuirks) return false;
  const { noStreamUsage, noStore, noReasoningEffort, noDeveloperRole, maxTokensOnly } = quirks;
  return (noStreamUsage ?? noStore ?? noReasoningEffort ?? noDeveloperRole ?? maxTokensOnly) === true;
}

/** A legacy completion: of the quirks, only the one about usage in streams concerns it. */
export function encodeCompletion(text: string, request: RequestFields, model: string, quirks: ProviderQuirks): EncodedRequest {
  const usageAsked = asksUsage(request);
  const refuses = quirks.noStreamUsage === true;
  const kept = refuses ? dropMembers(text, streamOptions) : text;
  const usageAdded = request['stream'] === true && !usageAsked && !refuses;
  const spliced = splice(kept, request, model, usageAdded);
  if (spliced !== null) return { text: spliced, usageAsked, usageAdded };
  const values = new Map([['model', JSON.stringify(model)]]);
  if (usageAdded) values.set('stream_options', withUsage(text, request));
  return { text: setMembers(kept, values), usageAsked, usageAdded };
}

/** Any other request: only the model is changed. */
export function encodeModel(text: string, request: RequestFields, model: string): EncodedRequest {
  return { text: withModel(text, request['model'], model), usageAsked: true, usageAdded: false };
}

const streamOptions: ReadonlySet<string> = new Set(['stream_options']);

function asksUsage({ stream_options: options }: RequestFields): boolean {
  return isObject(options) && options['include_usage'] === true;
}

/** The client's own options keep their text: a number that no double holds, a space. */
function withUsage(text: string, { stream_options: options }: RequestFields): string {
  const member = membersOf(text).findLast(({ name }) => name === 'stream_options');
  if (!isObject(options) || member === undefined) return '{"include_usage":true}';
  return setMembers(text.slice(member.value, member.end), new Map([['include_usage', 'true']]));
}

const usageMember = '"stream_options":{"include_usage":true},';

/** Null where the members have to be looked for. */
function splice(text: string, request: RequestFields, model: string, usageAdded: boolean): string | null {
  if (usageAdded && 'stream_options' in request) return null;
  return spliceModel(text, request['model'], model, usageAdded ? usageMember : '');
}

function isDeveloper(message: unknown): message is Record<string, unknown> {
  return isObject(message) && message['role'] === 'developer';
}
