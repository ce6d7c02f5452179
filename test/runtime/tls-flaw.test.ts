import { expect, test } from 'bun:test';
import type { TlsFlaw } from '../../src/core/ports.ts';
import { tlsFlawOf } from '../../src/runtime/tls-flaw.ts';

const rows: readonly (readonly [unknown, TlsFlaw | null])[] = [
  [{ code: 'ERR_TLS_CERT_ALTNAME_INVALID', message: 'Hostname/IP does not match' }, 'wrong_name'],
  [{ code: 'CERT_HAS_EXPIRED', message: 'certificate has expired' }, 'expired'],
  [{ code: 'CERT_NOT_YET_VALID', message: 'certificate is not yet valid' }, 'not_yet_valid'],
  [{ code: 'DEPTH_ZERO_SELF_SIGNED_CERT', message: 'self-signed certificate' }, 'self_signed'],
  [{ code: 'SELF_SIGNED_CERT_IN_CHAIN', message: '' }, 'unknown_authority'],
  [{ code: 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY', message: '' }, 'unknown_authority'],
  [{ code: 'EPROTO', message: 'error:100000f7:SSL routines:OPENSSL_internal:WRONG_VERSION_NUMBER' }, 'no_tls'],
  [
    {
      code: 'ERR_SSL_WRONG_VERSION_NUMBER',
      message: 'received corrupt message of type InvalidContentType (wrong version number)',
    },
    'no_tls',
  ],
  [{ code: 'EPROTO', message: 'error:100000f0:SSL routines:OPENSSL_internal:UNSUPPORTED_PROTOCOL' }, 'unsupported_version'],
  [
    { code: 'EPROTO', message: 'error:1000042e:SSL routines:OPENSSL_internal:TLSV1_ALERT_PROTOCOL_VERSION' },
    'unsupported_version',
  ],
  [{ code: 'ECONNRESET', message: 'socket disconnected before secure TLS connection was established' }, 'closed'],
  [null, 'closed'],
  [new Error('the authority is no certificate'), null],
  ['a word', null],
];
test.each(rows)('%p is told as %p', (cause, flaw) => {
  expect(tlsFlawOf(cause)).toBe(flaw);
});
