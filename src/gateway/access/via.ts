/** Breaks circles of gateways that call each other. Each gateway adds its name to `Via` (RFC 9110, 7.6.3) and refuses a request that has its own name. */
import { randomBytes } from 'node:crypto';
import { errorStatus, OlaError } from '../../core/errors.ts';
import { isObject } from '../../core/json.ts';

export interface Via {
  /** The `Via` entry of every outbound call, `1.1 ola-0123456789abcdef`. Each process draws its own at random, so that it reveals nothing. */
  readonly own: string;
  /** @throws OlaError `egress_destination_blocked` for a request that came through this gateway or through too many */
  admit(header: string): void;
  /** The ola gateways in a `Via` header, to be sent in front of our own; other proxies are left out, because upstreams need not know them. */
  passedOn(header: string | null): string | null;
}

const code = 'egress_destination_blocked';
const reason = 'self_connection';

/** Gateways that a request may have come through. A longer chain is taken for a circle. */
const maxGateways = 8;
const gatewayName = /(?<![\w.-])ola-[0-9a-f]{16}(?![\w.-])/g;

export function createVia(): Via {
  const name = `ola-${randomBytes(8).toString('hex')}`;
  return {
    own: `1.1 ${name}`,
    admit(header) {
      const names: readonly string[] = header.match(gatewayName) ?? [];
      if (names.includes(name))
        throw circleError('This request came through this gateway before: a provider of this gateway leads back to it.');
      if (names.length > maxGateways) throw circleError(`This request came through more than ${maxGateways} gateways.`);
    },
    passedOn(header) {
      const names = header?.match(gatewayName) ?? [];
      return names.length === 0 ? null : names.map((each) => `1.1 ${each}`).join(', ');
    },
  };
}

/** True when the upstream is a gateway that answered with the error of a circle. */
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

/** The error for the client, the same in each gateway of the circle. */
export function circle(provider: string): OlaError {
  return circleError(`Provider '${provider}' leads back to a gateway that this request came through.`, { provider });
}

function circleError(what: string, details: Readonly<Record<string, string>> = {}): OlaError {
  const message = `${what} The request would go round in a circle. Set the provider's baseUrl to the address of the real provider. (${reason})`;
  return new OlaError(code, message, { details: { ...details, reason } });
}
