/** One cheap call with a credential: the provider is asked for its models. */
import type { Egress } from '../core/egress.ts';
import { asOlaError, OlaError } from '../core/errors.ts';
import type { Clock } from '../core/ports.ts';
import type { Protocol } from '../core/protocol.ts';
import type { Redact } from '../core/redaction.ts';
import { withHeaders } from './inference/passed-headers.ts';
import { readAtMost } from './inference/read-body.ts';
import type { Audit, Requester } from './records/audit.ts';
import type { UsableCredential } from './routing/named-profile.ts';

/**
 * `works`: the provider listed its models. `refused`: it does not accept the credential. `unreachable`: it gave no answer.
 * `unclear`: its answer says nothing of the credential.
 */
export type CredentialOutcome = 'works' | 'refused' | 'unreachable' | 'unclear';

export interface CredentialTest {
  readonly outcome: CredentialOutcome;
  /** Null: it did not list them. */
  readonly modelsFound: number | null;
  /** What happened in words, without a word of the provider's. */
  readonly detail: string;
}

export interface CredentialTestPorts {
  readonly egress: Pick<Egress, 'send'>;
  readonly protocols: readonly Protocol[];
  readonly audit: Audit;
  readonly redact: Redact;
  readonly now: Clock;
}

/** Milliseconds until an answer is given up. */
const longestTest = 10_000;
/** Longest list of models that is read, in bytes. */
const longestList = 4 * 1024 * 1024;

/**
 * @param of whose credential it is, for the audit and in words
 * @throws OlaError `conflict` when the protocol of the provider has no list of models to ask for
 */
export async function testCredential(
  of: { readonly profile: string; readonly provider: string },
  credential: UsableCredential,
  ports: CredentialTestPorts,
  requester: Requester,
): Promise<CredentialTest> {
  const tested = await ask(credential, ports);
  const { audit } = ports;
  const result = tested.outcome === 'works' ? 'success' : 'failure';
  audit.record(audit.event('credential.test', requester, { ...of, outcome: tested.outcome }, result));
  return { ...tested, detail: ports.redact(tested.detail) };
}

async function ask({ endpoint, candidate }: UsableCredential, ports: CredentialTestPorts): Promise<CredentialTest> {
  const list = ports.protocols.find(({ id }) => id === endpoint.protocol)?.modelList ?? null;
  if (list === null) {
    throw new OlaError(
      'conflict',
      `${endpoint.protocol} has no list of models, so a credential cannot be tested. Make a call with it.`,
    );
  }
  const { path } = list;
  try {
    const headers = withHeaders(await candidate.sign({ method: 'GET', path, body: '' }, ports.now()), list.headers ?? null);
    const signal = AbortSignal.timeout(longestTest);
    const reply = await ports.egress.send(endpoint.destination, { method: 'GET', path, headers, body: null, signal });
    if (reply.status !== 200) {
      reply.cancel();
      return outcomeOf(reply.status);
    }
    const text = await readAtMost(reply, { limit: longestList, first: null, milliseconds: longestTest });
    const models = text === null ? null : list.read(text);
    if (models === null) return { outcome: 'unclear', modelsFound: null, detail: 'It answered 200 with no list of models.' };
    return { outcome: 'works', modelsFound: models.length, detail: `It listed ${models.length} models.` };
  } catch (thrown) {
    const isLate = thrown instanceof DOMException;
    const detail = isLate ? `It did not answer within ${longestTest / 1000} s.` : asOlaError(thrown).message;
    return { outcome: 'unreachable', modelsFound: null, detail };
  }
}

/** Statuses by which a provider refuses a credential, and not the request. */
const refusals: readonly number[] = [401, 402, 403];

function outcomeOf(status: number): CredentialTest {
  if (refusals.includes(status)) {
    const detail = `It refused the credential with HTTP ${status}. Enter the secret again, or look at the account.`;
    return { outcome: 'refused', modelsFound: null, detail };
  }
  const detail = `It answered HTTP ${status}, which does not say whether it accepts the credential. Make a call with it.`;
  return { outcome: 'unclear', modelsFound: null, detail };
}
