/** A credential as it signs requests: as it is, renewed, by a signature of AWS, or with a token of Google. */
import type { Destination } from '../../core/egress.ts';
import { type AwsKeyrings, awsCandidate } from '../../credentials/aws-candidate.ts';
import { type Candidate, renewableCandidate, type StaticHeaders, staticCandidate } from '../../credentials/candidates.ts';
import type { Grant, Grants } from '../../credentials/grants.ts';
import type { Credential } from '../../credentials/resolve.ts';

export interface CandidatePorts {
  /** The tokens of logins that are renewed; absent: a login is used as it was entered. */
  readonly grants?: Grants;
  /** The keys of AWS; absent: a configuration is judged, and nothing is signed. */
  readonly aws?: AwsKeyrings;
  /** The tokens of the host's Google login; absent: a configuration is judged, and nothing is sent. */
  readonly gcp?: Grant;
}

export interface SigningPlace {
  readonly destination: Destination;
  /** Of the configuration or the catalog; null: neither names one. */
  readonly region: string | null;
}

/** The region of signatures where neither address, configuration nor catalog names one. */
const usualRegion = 'us-east-1';

export function candidateOf(
  credential: Credential,
  headers: StaticHeaders,
  place: SigningPlace,
  ports: CandidatePorts,
): Candidate {
  const { renewable, profile, aws, gcp } = credential;
  const { destination, region } = place;
  if (aws !== undefined) {
    if (ports.aws === undefined) return staticCandidate({ ...credential, secret: null }, headers);
    return awsCandidate(credential, headers, { destination, region: region ?? usualRegion }, ports.aws.open(aws));
  }
  if (gcp === true) {
    if (ports.gcp === undefined) return staticCandidate({ ...credential, secret: null }, headers);
    // Keys of Vertex AI have a header of their own; tokens are bearer tokens.
    return renewableCandidate(credential, { ...headers, style: 'bearer', forms: [] }, ports.gcp);
  }
  if (renewable === undefined || profile === null || ports.grants === undefined) return staticCandidate(credential, headers);
  return renewableCandidate(credential, headers, ports.grants.open({ ...renewable, profile, destination }));
}
