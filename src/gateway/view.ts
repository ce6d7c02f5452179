/** The parts that are derived from one configuration, once: providers, policy, plans, the tokens that stand in clear. */

import type { ConfigDocument } from '../core/document.ts';
import { defaultEgressPolicy, type EgressPolicy } from '../core/egress.ts';
import { isObject } from '../core/json.ts';
import { readingsOf } from '../core/models.ts';
import { cleanSecret } from '../credentials/resolve.ts';
import { type LegacyToken, legacyAdmin, proxyKey } from './access/access.ts';
import { principalOfConfigured } from './access/imported-tokens.ts';
import type { CurrentConfig } from './config/in-force.ts';
import { fallbackOf } from './routing/fallback.ts';
import type { AskedModels } from './routing/models.ts';
import { buildRegistry, type Registry, type RegistryInputs } from './routing/registry.ts';
import { type Plan, planOf, type RoutingInputs, type Wanted } from './routing/routing.ts';

/** The settings that the process was started with, beyond the document. */
export interface GatewaySettings {
  readonly adminToken: string | null;
  readonly proxyKey: string | null;
  readonly everyProviderLocal: boolean;
  readonly insecureHttp: boolean;
  readonly envReferences: readonly string[];
}

export interface View {
  readonly registry: Registry;
  readonly policy: EgressPolicy;
  readonly secrets: readonly string[];
  /** The moment from which on the view is another one, in milliseconds since 1970: a credential has expired. */
  readonly until: number;
  /** The facts that plans are made from. */
  readonly routing: RoutingInputs;
  planOf(wanted: Wanted): Plan;
}

/** Model names whose plans are remembered, for each operation of a protocol. */
const mostPlans = 1000;

export function viewOf(snapshot: CurrentConfig, inputs: RegistryInputs, settings: GatewaySettings, asked: AskedModels): View {
  const document = snapshot.open;
  const registry = buildRegistry(snapshot, inputs);
  const routing = {
    registry,
    catalog: inputs.catalog,
    defaultModel: document.defaultModel ?? null,
    activeProviderIds: document.activeProviderIds ?? [],
    asked,
    translates: inputs.translates,
    fallback: fallbackOf(document, inputs.catalog.canonicalId),
  };
  const plans = new Map<string, Map<string, Plan>>();
  return {
    registry,
    policy: policyOf(document, settings),
    routing,
    until: registry.until,
    secrets: [...[...snapshot.secrets.values()].map(({ value }) => value), ...snapshot.named],
    planOf(wanted) {
      const { name, profile, protocol, operation } = wanted;
      // A name that can be read in two ways is planned anew, because a server may list it meanwhile.
      if (profile !== null || readingsOf(name ?? '').length > 1) return planOf(wanted, routing);
      const kind = `${operation} ${protocol}`;
      const known = plans.get(kind) ?? new Map<string, Plan>();
      plans.set(kind, known);
      const found = known.get(name ?? '');
      if (found !== undefined) return found;
      const made = planOf(wanted, routing);
      if (known.size >= mostPlans) known.clear();
      known.set(name ?? '', made);
      return made;
    },
  };
}

export function policyOf(document: ConfigDocument, settings: GatewaySettings): EgressPolicy {
  const policy = { ...defaultEgressPolicy, ...document.egressPolicy } as EgressPolicy;
  return settings.insecureHttp ? { ...policy, enforceHttps: false } : policy;
}

/** Tokens that stand in clear: in the environment, in the document, and in file mode under `authorization.tokens`. */
export function legacyTokens({ open }: CurrentConfig, settings: GatewaySettings): LegacyToken[] {
  const { authorization, serverToken } = open;
  const list: LegacyToken[] = [];
  if (authorization?.legacyAdminCompatibility !== false) {
    for (const token of [settings.adminToken, cleanSecret(serverToken)]) {
      if (token !== null) list.push({ token, principal: legacyAdmin });
    }
  }
  if (settings.proxyKey !== null) list.push({ token: settings.proxyKey, principal: proxyKey });
  for (const [name, config] of Object.entries(authorization?.tokens ?? {})) {
    const token = cleanSecret(config.token);
    if (config.enabled === false || token === null) continue;
    list.push({ token, principal: principalOfConfigured(name, config) });
  }
  return list;
}

/** Whether a token is meant to be asked for, also one that is switched off, not honoured, or cannot be opened now. */
export function namesToken({ document }: CurrentConfig, { adminToken, proxyKey }: GatewaySettings): boolean {
  const { authorization, serverToken } = document;
  if (adminToken !== null || proxyKey !== null || (serverToken ?? null) !== null) return true;
  const tokens = isObject(authorization) ? authorization['tokens'] : null;
  return isObject(tokens) && Object.keys(tokens).length > 0;
}

export function* heldSecrets(view: View, { adminToken, proxyKey }: GatewaySettings): Iterable<string> {
  yield* view.secrets;
  for (const token of [adminToken, proxyKey]) if (token !== null) yield token;
  for (const { endpoints } of view.registry.active.values()) {
    for (const { candidates } of endpoints) for (const candidate of candidates) yield* candidate.secrets;
  }
}
