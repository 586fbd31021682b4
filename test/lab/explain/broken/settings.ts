import type { Mistake, Plan } from './plan.ts';

const S = 1000;

function setting(name: string, value: string, way: string, on: string, more: Partial<Mistake>): Mistake {
  return { id: `setting:${name}=${value}`, way, on, ...more };
}

const claims = (plan: Plan, members: object) => {
  plan.content = Buffer.from(
    JSON.stringify({ ...(JSON.parse(plan.content.toString()) as object), ...members }),
  );
};
const secondsOf = (plan: Plan) => Math.floor(plan.at / S);
const TIMES = ['clock-ahead', 'delivery-late', 'setting:CLOCK_TOLERANCE_S', 'setting:MAX_AGE_S'];
const BYTES = 'q83vEjRWeJASNFZ4kKvN7/ABI0VniavN7xI0VniQEjQ=';

export const settingMistakes: readonly Mistake[] = [
  setting('KEY_ENCODING', 'base64', 'text is set', 'J', {
    agreed: BYTES,
    key: (text) => Buffer.from(text, 'base64'),
    also: ['secret-base64-decoded', 'setting:KEY_ENCODING'],
  }),
  setting('KEY_ENCODING', 'utf8', 'base64 is set', 'J', {
    agreed: BYTES,
    also: ['secret-base64-encoded', 'setting:KEY_ENCODING'],
    set: (plan) => void (plan.environment['HOTDOCS_KEY_ENCODING'] = 'base64'),
  }),
  setting('ISSUER', '', 'another is set', 'J', {
    set(plan) {
      plan.environment['HOTDOCS_ISSUER'] = 'advance';
      claims(plan, { iss: 'https://acme.hotdocsadvance.example' });
    },
    also: ['setting:ISSUER'],
  }),
  setting('AUDIENCE', '', 'the token has none', 'J', {
    set: (plan) => void (plan.environment['HOTDOCS_AUDIENCE'] = 'receiver'),
    also: ['setting:AUDIENCE'],
  }),
  setting('MAX_AGE_S', '0', 'too short', 'JW', {
    set(plan) {
      plan.environment[plan.lane === 'J' ? 'HOTDOCS_MAX_AGE_S' : 'RISR_MAX_AGE_S'] = '60';
      claims(plan, { iat: secondsOf(plan) - 700 });
    },
    also: TIMES,
  }),
  setting('MAX_AGE_S', 'usual', 'the token does not say', 'JW', {
    set: (plan) => void (plan.environment[plan.lane === 'J' ? 'HOTDOCS_MAX_AGE_S' : 'RISR_MAX_AGE_S'] = '60'),
    also: ['setting:MAX_AGE_S'],
  }),
  setting('CLOCK_TOLERANCE_S', '3600', 'none is left', 'JW', {
    set(plan) {
      plan.environment[plan.lane === 'J' ? 'HOTDOCS_CLOCK_TOLERANCE_S' : 'RISR_CLOCK_TOLERANCE_S'] = '0';
      claims(plan, { exp: secondsOf(plan) - 20 });
    },
    also: TIMES,
  }),
  setting('METHODS', 'GET,POST,PUT', 'POST alone is set', 'J', {
    set: (plan) => void (plan.environment['HOTDOCS_METHODS'] = 'POST'),
    place: (token, { path }) => ({
      method: 'GET',
      target: `${path}?token=${token}`,
      headers: [],
      body: Buffer.alloc(0),
    }),
    also: ['setting:METHODS', 'method-changed'],
  }),
  ...['sha256-body-secret', 'sha256-secret-body'].map((scheme) =>
    setting('SIGNATURE_SCHEME', 'hmac-sha256', `${scheme} is set`, 'H', {
      set: (plan) => void (plan.environment['PHENIXID_SIGNATURE_SCHEME'] = scheme),
      also: ['setting:SIGNATURE_SCHEME'],
    }),
  ),
];
