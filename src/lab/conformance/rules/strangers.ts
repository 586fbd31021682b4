import { proofKindOf, STRANGE_SECRET } from '../endpoints.ts';
import type { EndpointUnderTest, Rule, Trial } from '../rule.ts';
import type { Stage } from '../stage.ts';
import type { WireRequest } from '../wire.ts';
import { withHeader } from '../making/edit.ts';
import { byStranger, lookingProven } from '../making/forgery.ts';
import { ownContent } from '../making/own-content.ts';
import { mac, signatureIn, signed } from '../making/signature.ts';
import { signParts, tokenIn, withToken } from '../making/token.ts';
import { answersAnywhere, findOpen, shut, type Way } from '../making/ways.ts';

/** Groups C and L, last part: endpoints and installations that have no secret, or that of another. */
export const strangerRules: readonly Rule[] = [
  {
    id: 'C6-other-installation',
    group: 'C',
    title: 'keeps installations apart: the secret of one does not open the other',
    severity: 'high',
    grade: 'authentic',
    level: 1,
    why: 'Installations are tenants: whoever runs one of them could write events of another, with a secret that he rightly has.',
    fix: 'Let ?key= choose one secret, and verify with that one alone. Try no list of secrets, and give no two installations the same.',
    trials: (at, others) => others.filter((other) => isTwin(at, other)).map((other) => crossed(other)),
  },
  {
    id: 'L11-no-secret',
    group: 'L',
    title: 'lets nobody in at an endpoint whose secret nobody has',
    severity: 'critical',
    grade: 'authentic',
    level: 1,
    sealed: true,
    why: 'An endpoint that was prepared and never set up is open where no secret means no check, or where an HMAC is computed with an empty key, or with the text undefined.',
    fix: 'Answer 404 or 503 at an endpoint that has no secret, or refuse to start. Test the length of the secret, not whether the variable is there.',
    trials: (at, others) =>
      isMeantOpen(at)
        ? []
        : [
            sealed('with nothing that proves it', forgeries),
            sealed('with a secret that everybody can guess', guesses),
            sealed('with the secret of another endpoint', (stage) => foreignSecrets(stage, others)),
          ],
  },
];

/** Another installation at the same address. */
function isTwin(at: EndpointUnderTest, other: EndpointUnderTest): boolean {
  const isSame = other.source.name === at.source.name && other.url.href === at.url.href;
  return at.source.installations === true && isSame && other.switches['key'] !== at.switches['key'];
}

function crossed(other: EndpointUnderTest): Trial {
  return shut(`what belongs to ${other.name}`, async (stage) => {
    const { endpoint } = stage;
    const [own, foreign] = [await stage.genuine(), await stage.genuine({ of: other })];
    const { text: secret } = other.credential;
    return [
      {
        says: `a delivery of ${other.name} under the key of this installation`,
        request: { ...foreign, target: own.target },
      },
      {
        says: `a delivery to this installation that is signed with the secret of ${other.name}`,
        request: await byStranger(endpoint, ownContent(stage).json, { secret }),
      },
      {
        says: `a delivery of this installation under the key of ${other.name}`,
        request: { ...own, target: foreign.target },
      },
    ];
  });
}

/** Its owner has said that nothing proves its deliveries. */
function isMeantOpen({ switches, accepts }: EndpointUnderTest): boolean {
  return switches['scheme'] === 'unsigned' || accepts.has('scheme=unsigned');
}

/** Without a genuine request before and after it: there is none. That the receiver is alive others show. */
function sealed(name: string, waysOf: (stage: Stage) => Promise<readonly Way[]>): Trial {
  return {
    name,
    async run(stage) {
      const ways = (await answersAnywhere(stage)) ? [] : await waysOf(stage);
      return findOpen(stage, ways);
    },
  };
}

async function forgeries(stage: Stage): Promise<readonly Way[]> {
  const { endpoint } = stage;
  const { json } = ownContent(stage);
  const ways = endpoint.source.proof.forgeries.map(async (forgery) => ({
    says: `a delivery that nobody has proven (${forgery})`,
    request: await lookingProven(endpoint, forgery, json),
  }));
  return Promise.all(ways);
}

/** What an unset variable becomes, and what stands in samples. */
const GUESSES = [
  '',
  'undefined',
  'null',
  'None',
  'nil',
  'secret',
  'changeme',
  'change-me',
  'test',
  'your-secret',
];

async function guesses(stage: Stage): Promise<readonly Way[]> {
  return signedWith(
    stage,
    GUESSES.map((secret) => ({
      secret,
      says: secret === '' ? 'with an empty secret' : `with the word ${secret} for a secret`,
    })),
  );
}

async function foreignSecrets(stage: Stage, others: readonly EndpointUnderTest[]): Promise<readonly Way[]> {
  // An access token is sent as it is: not to another host than its own.
  const neighbours = others.filter(({ url }) => url.origin === stage.endpoint.url.origin);
  return signedWith(
    stage,
    neighbours.map(({ name, credential }) => ({
      secret: credential.text,
      says: `with the secret of ${name}`,
    })),
  );
}

interface Guess {
  readonly secret: string;
  readonly says: string;
}

/** By each kind of proof that its sender has. */
async function signedWith(stage: Stage, tries: readonly Guess[]): Promise<readonly Way[]> {
  const kinds = Object.keys(stage.endpoint.source.proof.kinds);
  const ways = tries.flatMap(({ secret, says }) =>
    kinds.map(async (kind) => {
      const { credential, ...others } = stage.endpoint;
      const endpoint = { ...others, credential: { ...credential, kind } };
      const request = await byStranger(endpoint, ownContent(stage).json, {
        secret: secret === '' ? STRANGE_SECRET : secret,
      });
      return {
        says: `a delivery that is proven ${says} (${kind})`,
        request: secret === '' ? withEmptySecret(request, endpoint) : request,
      };
    }),
  );
  return Promise.all(ways);
}

/** As no sender would: libraries refuse an empty key. */
function withEmptySecret(request: WireRequest, endpoint: EndpointUnderTest): WireRequest {
  if (proofKindOf(endpoint) === 'access token') return withHeader(request, 'Authorization', '');
  if (proofKindOf(endpoint) === 'signature header') {
    const signature = signatureIn(request, endpoint);
    return signed(request, signature, signature.spell(mac(request.body, '')));
  }
  const token = tokenIn(request, endpoint);
  return withToken(request, token, signParts(token.header, token.payload, ''));
}
