import type { Rule, Trial } from '../rule.ts';
import { describe, failed, isAccepted, passed, tried } from '../trials.ts';
import { bytesOf, exchange, type Header, type TlsOptions } from '../wire.ts';
import { withHeaders } from '../making/edit.ts';
import { where } from '../making/answers.ts';
import { STRANGER } from '../making/stranger.ts';

/** Group D: TLS, and certificates that senders show. What only an issuer can make, an expired one say, is not tried. */
export const transportRules: readonly Rule[] = [
  {
    id: 'D1-own-certificate',
    group: 'D',
    title: 'refuses a certificate that nobody issued, where it demands one',
    severity: 'critical',
    grade: 'authentic',
    level: 1,
    oncePerSource: true,
    why: 'Anybody can make a certificate. Where it is asked for and not checked, it proves nothing.',
    fix: 'Verify the chain against the one authority that issues to the sender, and the subject besides.',
    trials: where(isSecure, () => [unlessWithout('a certificate of our own making', STRANGER, [])]),
  },
  {
    id: 'D2-certificate-headers',
    group: 'D',
    title: 'believes no header that claims a certificate',
    severity: 'critical',
    grade: 'authentic',
    level: 1,
    oncePerSource: true,
    why: 'A proxy tells the receiver of certificates in a header. Whoever reaches the receiver directly can write the same header.',
    fix: 'Take such headers from the address of your proxy only, and let the proxy remove them from what comes in.',
    source: 'https://www.rfc-editor.org/rfc/rfc9440#section-4',
    trials: where(isSecure, () => [
      unlessWithout('X-SSL-Client-Verify', {}, [
        ['X-SSL-Client-Verify', 'SUCCESS'],
        ['X-Client-Verify', 'SUCCESS'],
        ['X-SSL-Client-S-DN', 'CN=phenixid,O=Hospital'],
      ]),
      unlessWithout('X-SSL-Client-Cert', {}, [
        ['X-SSL-Client-Cert', escaped()],
        ['X-Client-Cert', escaped()],
      ]),
      unlessWithout('X-Forwarded-Client-Cert', {}, [
        [
          'X-Forwarded-Client-Cert',
          `Hash=${'0'.repeat(64)};Cert="${escaped()}";Subject="CN=phenixid,O=Hospital"`,
        ],
      ]),
      unlessWithout('X-ARR-ClientCert', {}, [['X-ARR-ClientCert', bare()]]),
      unlessWithout('Client-Cert', {}, [['Client-Cert', `:${bare()}:`]]),
    ]),
  },
  {
    id: 'D5-plain-http',
    group: 'D',
    title: 'speaks nothing but TLS on its TLS port',
    severity: 'high',
    grade: 'authentic',
    level: 1,
    oncePerSource: true,
    why: 'Signed is not secret: over plain HTTP everybody on the way reads the documents and names in an event.',
    fix: 'Serve TLS only on that port, and do not redirect deliveries: the first request has told everything already.',
    trials: where(isSecure, () => [plainHttp()]),
  },
  {
    id: 'D5-old-tls',
    group: 'D',
    title: 'refuses TLS 1.0 and 1.1',
    severity: 'medium',
    grade: 'hardened',
    level: 1,
    oncePerSource: true,
    why: 'Both have known weaknesses and are formally withdrawn.',
    fix: 'Set the lowest version to TLS 1.2.',
    source: 'https://www.rfc-editor.org/rfc/rfc8996',
    trials: where(isSecure, () => [oldTls('TLSv1'), oldTls('TLSv1.1')]),
  },
];

function isSecure({ url }: { readonly url: URL }): boolean {
  return url.protocol === 'https:';
}

const NO_CERTIFICATE: TlsOptions = { cert: undefined, key: undefined, pfx: undefined };

/** Nothing to find out where a delivery is accepted without any certificate: there none is demanded. */
function unlessWithout(name: string, tls: TlsOptions, headers: readonly Header[]): Trial {
  const expected = 'refused like a delivery without any certificate';
  return tried(name, async (stage) => {
    const without = await stage.send(await stage.genuine(), 'without a certificate', { tls: NO_CERTIFICATE });
    if (isAccepted(without)) return passed(expected, 'no certificate is demanded here');
    const request = withHeaders(await stage.genuine(), ...headers);
    const observation = await stage.send(request, 'attack', { tls: { ...NO_CERTIFICATE, ...tls } });
    return isAccepted(observation)
      ? failed(expected, `${describe(observation)}: it was accepted`)
      : passed(expected, describe(observation));
  });
}

/** As nginx hands a certificate on: PEM, percent-encoded. */
function escaped(): string {
  return encodeURIComponent(STRANGER.cert);
}

/** As others do: the base64 of its bytes alone. */
function bare(): string {
  return STRANGER.cert.replace(/-----[A-Z ]+-----|\s/g, '');
}

function plainHttp(): Trial {
  const expected = 'not accepted without TLS';
  return tried('the same port without TLS', async (stage) => {
    const { url } = stage.endpoint;
    const plain = new URL(`http://${url.hostname}:${url.port === '' ? '443' : url.port}`);
    const bytes = bytesOf(await stage.genuine(), url);
    const observation = await exchange(bytes, { url: plain, timeoutMs: 5_000 });
    return isAccepted(observation)
      ? failed(expected, describe(observation))
      : passed(expected, describe(observation));
  });
}

function oldTls(version: 'TLSv1' | 'TLSv1.1'): Trial {
  const expected = 'no connection';
  // OpenSSL's own default would not even offer it.
  const tls: TlsOptions = { minVersion: version, maxVersion: version, ciphers: 'DEFAULT@SECLEVEL=0' };
  return tried(version, async (stage) => {
    const observation = await stage.send(await stage.genuine(), 'attack', { tls });
    return observation.status === 0
      ? passed(expected, describe(observation))
      : failed(expected, describe(observation));
  });
}
