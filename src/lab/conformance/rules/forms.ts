import { isTokenBody, proofKindOf } from '../endpoints.ts';
import type { EndpointUnderTest, Rule, Trial } from '../rule.ts';
import { answered, type Statuses } from '../trials.ts';
import { hasBody, withBody, withHeader } from '../making/edit.ts';

/** Group F: the form around a token. */
export const formRules: readonly Rule[] = [
  {
    id: 'F9-form',
    group: 'F',
    title: 'survives forms of any size and shape around a token',
    severity: 'medium',
    grade: 'correct',
    level: 1,
    why: 'Form parsers build lists and objects, count parts and decode escapes before anybody is known. Whatever throws there answers 500 to everybody.',
    fix: 'Limit fields, parts and depth, and answer with 400 or 401 when a form is broken.',
    trials: (at) => (hasForm(at) ? [...plainForms, ...multipartForms] : []),
  },
];

function hasForm(at: EndpointUnderTest): boolean {
  const { carrier = 'usual' } = at.switches;
  return (
    proofKindOf(at) === 'token' && !isTokenBody(at) && hasBody(at) && ['usual', 'form'].includes(carrier)
  );
}

/** Read or refused; how many fields are too many is up to the receiver. */
const READ_OR_NOT: Statuses = ['2xx', 400, 401, 429, 413, 415, 422];

function form(name: string, write: (field: string) => string): Trial {
  return answered(name, (genuine) => withBody(genuine, write(genuine.body.toString('latin1'))), READ_OR_NOT);
}

const plainForms: readonly Trial[] = [
  form('1,001 fields before the token', (field) => `${'a=b&'.repeat(1_001)}${field}`),
  form('20,000 fields behind the token', (field) => `${field}${'&a=b'.repeat(20_000)}`),
  form('a field name of 5,000 brackets', (field) => `${field}&a${'[a]'.repeat(5_000)}=b`),
  form('lists with large numbers', (field) => `${field}&a[99999999]=b&a[-1]=c`),
  form('names without values', (field) => `a&b&${field}&c`),
  form('nothing between its signs', (field) => `&&&&${field}&&&&`),
  form('signs of equality only', (field) => `====&${field}&=`),
  form('broken percent signs', (field) => `a=%ZZ&%=%&${field}`),
  form('bytes that are no UTF-8', (field) => `a=%ff%fe%c0%af&${field}`),
  form('semicolons between fields', (field) => `a=b;${field}`),
  form('names of Object', (field) => `__proto__=1&constructor[prototype][x]=2&toString=3&${field}`),
  form('a field of 300,000 letters', (field) => `${field}&a=${'b'.repeat(300_000)}`),
];

const BOUNDARY = 'an-edge-between-the-parts-of-a-form';

function part(name: string, value: string, more = ''): string {
  return `--${BOUNDARY}\r\nContent-Disposition: form-data; name="${name}"${more}\r\n\r\n${value}\r\n`;
}

function multipart(name: string, write: (token: string) => string): Trial {
  return answered(
    `multipart: ${name}`,
    (genuine) => {
      const token = genuine.body.toString('latin1').replace('token=', '');
      const type = `multipart/form-data; boundary=${BOUNDARY}`;
      return withHeader(withBody(genuine, write(token)), 'Content-Type', type);
    },
    READ_OR_NOT,
  );
}

const END = `--${BOUNDARY}--\r\n`;

const multipartForms: readonly Trial[] = [
  multipart('the token alone', (token) => part('token', token) + END),
  multipart('2,000 parts before it', (token) => part('a', 'b').repeat(2_000) + part('token', token) + END),
  multipart('as a file', (token) => part('token', token, '; filename="token.txt"') + END),
  multipart(
    'a file name that is a path',
    (token) => part('f', 'x', '; filename="../../etc/x"') + part('token', token) + END,
  ),
  multipart('no end', (token) => part('token', token)),
  multipart('nothing at all', () => ''),
  multipart('only its end', () => END),
  multipart('a part without a name', (token) => `--${BOUNDARY}\r\n\r\n${token}\r\n${END}`),
  multipart('a part inside a part', (token) => part('token', part('token', token) + END) + END),
  multipart('headers without an end', (token) => `--${BOUNDARY}\r\n${`X: ${token}\r\n`.repeat(50)}`),
  multipart(
    'an unknown transfer encoding',
    (token) => part('token', token, '\r\nContent-Transfer-Encoding: x-unknown') + END,
  ),
];
