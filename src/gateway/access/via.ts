/** Gateways that call each other in a circle: each names itself in `Via` (RFC 9110, 7.6.3), and knows itself when it comes back. */
import { randomBytes } from 'node:crypto';
import { errorStatus, OlaError } from '../../core/errors.ts';
import { isObject } from '../../core/json.ts';

export interface Via {
  /** What every call outside carries, `1.1 ola-0123456789abcdef`: drawn anew by each process, so that it tells nothing. */
  readonly own: string;
  /** @throws OlaError `egress_destination_blocked` for a request that has been here, or has gone through too many gateways */
  admit(header: string): void;
  /** The gateways that a request came through, to stand in front of our own; other proxies are nobody's business. */
  passedOn(header: string | null): string | null;
}

const code = 'egress_destination_blocked';
const reason = 'self_connection';

/** More gateways in a row than anybody needs; the circle that they may be is cut. */
const mostGateways = 8;
const gatewayName = /(?<![\w.-])ola-[0-9a-f]{16}(?![\w.-])/g;

export function createVia(): Via {
  const name = `ola-${randomBytes(8).toString('hex')}`;
  return {
    own: `1.1 ${name}`,
    admit(header) {
      const names: readonly string[] = header.match(gatewayName) ?? [];
      if (names.includes(name))
        throw comesBack('This request has been here before: a provider of this gateway leads back to it.');
      if (names.length > mostGateways) throw comesBack(`This request came through more than ${mostGateways} gateways.`);
    },
    passedOn(header) {
      const names = header?.match(gatewayName) ?? [];
      return names.length === 0 ? null : names.map((each) => `1.1 ${each}`).join(', ');
    },
  };
}

/** Whether an upstream that is a gateway itself says that the call goes round in circles. */
export function saysCircle(status: number, body: string): boolean {
  if (status !== errorStatus[code] || !body.includes(code)) return false;
  try {
    const answer: unknown = JSON.parse(body);
    const error = isObject(answer) ? answer['error'] : null;
    if (!isObject(error) || error['code'] !== code) return false;
    return isObject(error['details']) && error['details']['reason'] === reason;
  } catch {
    return false;
  }
}

/** What the client is told of it, in each gateway of the circle. */
export function circle(provider: string): OlaError {
  return comesBack(`Provider '${provider}' leads back to a gateway that this request came through.`, { provider });
}

function comesBack(what: string, details: Readonly<Record<string, string>> = {}): OlaError {
  const message = `${what} It would go round in circles: give the provider the address of the real one. (${reason})`;
  return new OlaError(code, message, { details: { ...details, reason } });
}
