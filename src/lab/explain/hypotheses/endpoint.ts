import { credentialVariable, isOpen } from '../../../kit/endpoint/definition.ts';
import { closest } from '../../../kit/reading/closest.ts';
import { decoded, viewOf, withTarget, type Case, type Change, type Row } from '../case.ts';

const known = (of: Case) => of.known.endpoints.map(({ definition }) => definition.path);
const REGISTER =
  'Register the address that ends in {detail} at the sender, or have the proxy hand the path on as it comes.';

/** The delivery went to a path that is nearly one of ours. */
function path(
  id: string,
  means: string,
  meant: (path: string, of: Case) => readonly (string | undefined)[],
  remedy = REGISTER,
  twins: readonly string[] = [],
): Row {
  return {
    id,
    means,
    remedy,
    twins,
    *variants(of) {
      const view = viewOf(of);
      if (view.config !== undefined) return;
      for (const other of new Set(meant(view.path, of)))
        if (other !== undefined && known(of).includes(other))
          yield withTarget(of, withQuery(other, view.query), other);
    },
  };
}

function withQuery(to: string, query: string): string {
  return query === '' ? to : `${to}?${query}`;
}

/** `?key=` had another value. */
function installation(
  id: string,
  means: string,
  changed: (written: readonly string[], keys: readonly string[]) => readonly string[],
  remedy: string,
  twins: readonly string[] = [],
): Row {
  return {
    id,
    applies: 'H',
    means,
    remedy,
    twins,
    *variants(of): Generator<Change> {
      const { config, path: to, query } = viewOf(of);
      if (config?.source.installations !== true) return;
      const pairs = query.split('&').filter(Boolean);
      const written = pairs
        .filter((pair) => /^key(?:=|$)/i.test(pair))
        .map((pair) => pair.slice('key='.length));
      const others = pairs.filter((pair) => !/^key(?:=|$)/i.test(pair));
      for (const key of changed(written, [...config.credentials.keys()])) {
        const named = key === '' ? [] : [`key=${encodeURIComponent(key)}`];
        const target = withQuery(to, [...others, ...named].join('&'));
        if (target !== of.request.target) yield withTarget(of, target, key === '' ? 'no key' : `key=${key}`);
      }
    },
  };
}

const KEY =
  'At the sender, set the key of the webhook to the one that stands in the variables here ({detail}).';
/** Of a path that is nobody's, several of these can be true. */
const PATHS = [
  'path-slash',
  'path-doubled-slash',
  'path-case',
  'path-encoded',
  'path-prefix',
  'path-stripped',
  'path-typo',
];
const named = (keys: readonly string[]) => keys.filter((key) => key !== '');

export const ofEndpoint: readonly Row[] = [
  path('path-slash', 'the path had no slash at its end', (came) => [came.replace(/\/+$/, '')]),
  path(
    'path-doubled-slash',
    'the path had single slashes',
    (came) => [came.replace(/\/{2,}/g, '/')],
    REGISTER,
    ['path-slash'],
  ),
  path('path-case', 'the path had the same letters in the right case', (came, of) =>
    known(of).filter((own) => own.toLowerCase() === came.toLowerCase()),
  ),
  path('path-encoded', 'the path were not percent-encoded', (came) => [decoded(came)]),
  path(
    'path-prefix',
    'the path had nothing before {detail}',
    (came, of) => known(of).filter((own) => came.endsWith(own) && came !== own),
    REGISTER,
    ['path-doubled-slash'],
  ),
  path('path-stripped', 'the path were still whole: {detail}', (came, of) =>
    known(of).filter((own) => came.length > 1 && own.endsWith(came) && came !== own),
  ),
  path('path-typo', 'the path were {detail}', (came, of) => [closest(came, known(of))], REGISTER, PATHS),
  {
    id: 'endpoint-other',
    means: 'it had been sent to {detail}',
    remedy: 'At the sender, register {detail} for this event, and not {path}.',
    twins: ['secret-of-endpoint', ...PATHS],
    *variants(of) {
      const view = viewOf(of);
      for (const other of of.known.endpoints) {
        if (
          other === view.config ||
          !isOpen(other) ||
          (view.config && other.source.name !== view.config.source.name)
        )
          continue;
        yield withTarget(of, withQuery(other.definition.path, view.query), other.definition.path);
      }
    },
  },
  {
    id: 'endpoint-closed-secret-missing',
    means: 'The endpoint is closed: {detail} is not set.',
    remedy: 'Set {detail} to the secret agreed for it, then explain this delivery again.',
    *sees(of) {
      const { config } = viewOf(of);
      if (config !== undefined && !isOpen(config)) yield credentialVariable(config);
    },
  },
  {
    id: 'method-changed',
    means: 'it had come with the method {detail}',
    remedy:
      'A redirect or a proxy has changed the method: register the address that needs no redirect (https, no other host).',
    *variants(of) {
      const { config } = viewOf(of);
      for (const method of config?.source.methods(config.definition.type) ?? [])
        if (method !== of.request.method) yield { request: { ...of.request, method }, detail: method };
    },
  },
  {
    id: 'method-changed-body-gone',
    means: 'It came as a {detail} without a body, as a redirect leaves of a POST.',
    remedy:
      'Register the address that needs no redirect (https, the right host, no slash too many): what was in the body is gone.',
    *sees(of) {
      const { request } = of;
      if (request.method !== 'POST' && request.body.length === 0 && !request.target.includes('?'))
        yield request.method;
    },
  },
  installation(
    'installation-missing',
    'it had named its installation: {detail}',
    (written, keys) => (written.length === 0 ? named(keys) : []),
    `${KEY} Or a proxy drops the query.`,
    ['secret-of-installation'],
  ),
  installation(
    'installation-case',
    'it had named its installation in the right case: {detail}',
    (written, keys) =>
      written.length === 1
        ? keys.filter((key) => key.toLowerCase() === decoded(written[0] ?? '')?.toLowerCase())
        : [],
    KEY,
  ),
  installation(
    'installation-doubled',
    'it had named one installation: {detail}',
    (written, keys) =>
      written.length > 1 ? keys.filter((key) => written.some((one) => decoded(one) === key)) : [],
    'The address at the sender has a key= already: take it out there, or leave the key of the webhook empty.',
  ),
  installation(
    'installation-encoded',
    'what it calls its installation had been encoded once: {detail}',
    (written, keys) =>
      written.length === 1 ? keys.filter((key) => key === decoded(decoded(written[0] ?? '') ?? '')) : [],
    KEY,
  ),
  installation(
    'installation-unknown',
    'it had named another installation: {detail}',
    (written, keys) => (written.length > 0 ? keys : []),
    KEY,
    ['installation-case', 'installation-doubled', 'installation-encoded', 'secret-of-installation'],
  ),
  ...(['certificate_missing', 'certificate_refused'] as const).map((code): Row => ({
    id: code.replace('_', '-'),
    means: 'The connection was refused for its client certificate: {detail}',
    remedy:
      'What else came is not looked at before the certificate is right. See CLIENT_CERTIFICATE in the README of the source.',
    *sees(of) {
      if (of.known.outcome === code) yield of.known.why ?? code;
    },
  })),
];
