/** The keys of AWS at work: asked of their source once for all requests, kept until shortly before their end. */
import { asOlaError, OlaError } from '../core/errors.ts';
import type { Log } from '../core/ports.ts';
import type { LentKeys } from '../credentials/aws-answers.ts';
import type { AwsKeyring, AwsKeyrings } from '../credentials/aws-candidate.ts';
import type { AwsKeys } from '../credentials/aws-signature.ts';
import { type AwsWish, awsSource } from '../credentials/aws-source.ts';
import { type AwsAskingPorts, askAws, readAwsFiles } from './aws-asking.ts';

export interface AwsCredentialPorts extends AwsAskingPorts {
  readonly log: Log;
}

export interface KeptAwsKeys extends AwsKeyrings {
  /** Every secret that is held. */
  secrets(): Iterable<string>;
}

/** Milliseconds before the end of keys at which others are asked for. */
const margin = 300_000;
/** Milliseconds after which a source that failed is asked again. */
const failurePause = 5_000;
/** Milliseconds. Keys that are refused so soon after they came are not refused for their age. */
const leastAge = 60_000;

export function createAwsCredentials(ports: AwsCredentialPorts): KeptAwsKeys {
  const rings = new Map<string, Ring>();
  return {
    open(wish) {
      const name = JSON.stringify([wish.profile, wish.instanceMetadata]);
      const ring = rings.get(name) ?? new Ring(wish, ports);
      rings.set(name, ring);
      return ring;
    },
    *secrets() {
      for (const ring of rings.values()) yield* ring.secrets();
    },
  };
}

class Ring implements AwsKeyring {
  private readonly wish: AwsWish;
  private readonly ports: AwsCredentialPorts;
  private lent: LentKeys | null = null;
  private askedAt = 0;
  private failure: OlaError | null = null;
  private running: Promise<void> | null = null;

  constructor(wish: AwsWish, ports: AwsCredentialPorts) {
    this.wish = wish;
    this.ports = ports;
  }

  keys(now: number): AwsKeys | Promise<AwsKeys> {
    const { lent } = this;
    const isPaused = this.failure !== null && now < this.askedAt + failurePause;
    if (lent !== null && (isPaused ? isValid(lent, now) : isValid(lent, now + margin))) return lent.keys;
    return isPaused ? Promise.reject(this.failure) : this.keysLater();
  }

  async renew(refused: AwsKeys, now: number): Promise<boolean> {
    if (this.lent?.keys !== refused) return true;
    if (now - this.askedAt < leastAge) return false;
    await this.ask();
    return JSON.stringify(this.lent?.keys) !== JSON.stringify(refused);
  }

  secrets(): readonly string[] {
    const { secretAccessKey = null, sessionToken = null } = this.lent?.keys ?? {};
    return [secretAccessKey, sessionToken].filter((each) => each !== null);
  }

  private async keysLater(): Promise<AwsKeys> {
    await this.ask();
    const { lent, failure } = this;
    if (lent !== null && isValid(lent, this.ports.now())) return lent.keys;
    throw failure ?? new OlaError('upstream_unreachable', 'AWS credentials have ended, and there are no others.');
  }

  private ask(): Promise<void> {
    this.running ??= this.askOnce().finally(() => {
      this.running = null;
    });
    return this.running;
  }

  /** Keys that still last are used when others cannot be had. */
  private async askOnce(): Promise<void> {
    const { environment, aws, now, log } = this.ports;
    try {
      const source = awsSource(this.wish, { environment, files: readAwsFiles(aws, environment) });
      this.lent = await askAws(source, this.ports);
      this.failure = null;
    } catch (thrown) {
      const error = asOlaError(thrown);
      const message = error.code === 'internal_error' ? 'AWS credentials could not be read.' : error.message;
      this.failure = new OlaError('upstream_unreachable', message, { cause: thrown });
      log.log('warn', message, { awsProfile: this.wish.profile });
    }
    this.askedAt = now();
  }
}

function isValid({ expiresAt }: LentKeys, at: number): boolean {
  return expiresAt === null || at < expiresAt;
}
