/** Reads why a TLS connection failed from the error of the platform. */
import type { TlsFlaw } from '../core/ports.ts';

/** Codes of OpenSSL's verification, which Bun (BoringSSL) and Deno (rustls) use too. */
const byCode: Readonly<Record<string, TlsFlaw>> = {
  ERR_TLS_CERT_ALTNAME_INVALID: 'wrong_name',
  CERT_HAS_EXPIRED: 'expired',
  CERT_NOT_YET_VALID: 'not_yet_valid',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'self_signed',
  SELF_SIGNED_CERT_IN_CHAIN: 'unknown_authority',
  UNABLE_TO_GET_ISSUER_CERT: 'unknown_authority',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'unknown_authority',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'unknown_authority',
  ECONNRESET: 'closed',
};

/** What the libraries say of bytes that are no TLS record, such as an HTTP answer, and of a version that is too old. */
const byText: readonly (readonly [RegExp, TlsFlaw])[] = [
  [/wrong[_ ]version[_ ]number|http[_ ]request|InvalidContentType/i, 'no_tls'],
  [/unsupported[_ ]protocol|protocol[_ ]version|ProtocolVersion/i, 'unsupported_version'],
];

/** @param cause the platform's error; null when the other side closed the connection in the handshake */
export function tlsFlawOf(cause: unknown): TlsFlaw | null {
  if (cause === null || cause === undefined) return 'closed';
  const { code, message } = cause as { readonly code?: unknown; readonly message?: unknown };
  const known = typeof code === 'string' ? byCode[code] : undefined;
  if (known !== undefined) return known;
  const text = `${String(code)} ${String(message)}`;
  return byText.find(([form]) => form.test(text))?.[1] ?? null;
}
