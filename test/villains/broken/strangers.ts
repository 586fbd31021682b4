import * as http from '../http.ts';
import type { Credential, Credentials } from '../parts.ts';
import * as proof from '../proof.ts';
import { believed, firstOf } from '../reading.ts';
import { createReceiver } from '../receiver.ts';
import { right } from '../right.ts';
import { all, type Villain } from '../villain.ts';

/** One of each source. */
const unset = ['hotdocs/NewWorkItemVersionComplete', 'phenixid', 'risr/user_logged_in'];

/** Serves these with such a secret, though nobody has set one. */
function withoutSecret(
  textFor: (path: string, credentials: Credentials) => string,
  prove = proof.prove,
): Villain['start'] {
  return (credentials) => {
    const missing = unset
      .map((name) => `/${name}`)
      .filter((path) => !credentials.has(path))
      .map((path): [string, Credential] => [path, { kind: 'SECRET', text: textFor(path, credentials) }]);
    const served = new Map([...credentials, ...missing]);
    return createReceiver({ ...right, route: (request) => http.route(request, served), prove })(credentials);
  };
}

/** Verifies a signature with each of these until one fits. */
function withAnyOf(secretsIn: (credentials: Credentials) => readonly string[]): Villain['start'] {
  return (credentials) =>
    createReceiver({
      ...right,
      verifySignature: (delivery, parts) =>
        firstOf(
          ...secretsIn(credentials).map((text) => () => {
            const { route } = delivery;
            const credential = { ...route.credential, text };
            return proof.verifySignature({ ...delivery, route: { ...route, credential } }, parts);
          }),
        ),
    })(credentials);
}

/** What goes wrong with secrets that are not set, or are those of others. */
export const strangerVillains: readonly Villain[] = [
  {
    name: 'verifies nothing where no secret is set',
    sources: all,
    unset,
    breaks: '`if (secret) verify()`: an endpoint whose variable was forgotten is open.',
    claimedBy: ['L11-no-secret'],
    start: withoutSecret(
      () => '',
      (delivery, parts) =>
        delivery.route.credential.text === '' ? believed(delivery) : proof.prove(delivery, parts),
    ),
  },
  {
    name: 'has an empty key where no secret is set',
    sources: all,
    unset,
    breaks: '`process.env.SECRET ?? ""`: an HMAC with an empty key, which everybody can compute.',
    claimedBy: ['L11-no-secret'],
    start: withoutSecret(() => ''),
  },
  {
    name: 'has the word undefined where no secret is set',
    sources: all,
    unset,
    breaks: 'A template in a deployment writes `SECRET=undefined`.',
    claimedBy: ['L11-no-secret'],
    start: withoutSecret(() => 'undefined'),
  },
  {
    name: 'borrows a secret where none is set',
    sources: ['hotdocs', 'risr'],
    unset: unset.filter((name) => name.includes('/')),
    breaks: 'Without a secret of its own an endpoint falls back to that of another.',
    claimedBy: ['L11-no-secret'],
    start: withoutSecret((path, credentials) => {
      const lender = path.startsWith('/risr/') ? '/risr/booking_updated' : '/hotdocs/CustomInterviewEvent';
      return credentials.get(lender)?.text ?? '';
    }),
  },
  {
    name: 'has one ring for all installations',
    sources: ['phenixid'],
    key: 'north',
    secondKey: 'south',
    breaks: 'The secrets of all installations are tried until one fits, whichever is named by ?key=.',
    claimedBy: ['C6-other-installation'],
    start: withAnyOf((credentials) =>
      [...credentials].flatMap(([path, { text }]) => (path.startsWith('/phenixid') ? [text] : [])),
    ),
  },
];
