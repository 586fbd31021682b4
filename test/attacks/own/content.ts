import { unproven, withBody, withHeader } from '../../../src/lab/conformance/making/edit.ts';
import { misfit, withMembers } from '../../../src/lab/conformance/making/own-content.ts';
import type { Trial } from '../../../src/lab/conformance/rule.ts';
import { accepts, at, own, refuses, together, type Own } from './own.ts';

const notJson = {
  hexadecimal: '{"eventType":"OrderSigned","taskId":"t","x":0x10}',
  infinity: '{"eventType":"OrderSigned","taskId":"t","x":Infinity}',
};

/** Good content with these members behind its own. */
function members(written: Readonly<Record<string, string>>): Trial[] {
  return Object.entries(written).map(([name, text]) => misfit(name, ({ json }) => withMembers(json, text)));
}

function lists(levels: number): string {
  return `,"x":${'['.repeat(levels)}${']'.repeat(levels)}`;
}

/** All doors whose content a trial can write. */
const WRITTEN = 'hotdocs/form hotdocs/header hotdocs/token phenixid risr';

/** The one field of a form, written another way. */
function form(name: string, write: (field: string) => string): Trial {
  return refuses(name, (genuine) => withBody(genuine, write(genuine.body.toString('latin1'))));
}

const refusedForms = [
  form('ever deeper field names', (field) => field.replace('=', `${'[a]'.repeat(10_000)}=`)),
  form('the field twice', (field) => `${field}&token=other`),
  form('the field twice, escaped', (field) => `${field}&%74oken=other`),
  form('broken percent signs', (field) => field.replace('.', '%ZZ')),
];

const acceptedForms = Object.entries({
  escapes: (field: string) => field.replace('.', '%2E').replace('.', '%2e'),
  'as many fields as are read': (field: string) => `${'a=b&'.repeat(999)}${field}`,
  'other fields that are odd': (field: string) => `__proto__=1&constructor=2&a[b]=%ZZ&${field}`,
}).map(([name, write]) =>
  accepts(`fine: ${name}`, (genuine) => withBody(genuine, write(genuine.body.toString('latin1')))),
);

const BOUNDARY = 'a-boundary-of-more-than-27-characters';

function part(disposition: string, value: string): string {
  return `--${BOUNDARY}\r\nContent-Disposition: form-data${disposition}\r\n\r\n${value}\r\n`;
}

const named = (name: string, value: string) => part(`; name="${name}"`, value);

const multipartForms = Object.entries({
  'ten thousand parts': (token: string) => named('a', 'b').repeat(10_000) + named('token', token),
  'a file name that is a path': (token: string) =>
    part('; name="token"; filename="../../../etc/passwd"', token),
  'a form in a form': (token: string) =>
    named('token', `Content-Type: multipart/mixed; boundary=c\r\n\r\n--c\r\n\r\n${token}\r\n--c--`),
  'the field twice': (token: string) => named('token', token) + named('token', token),
  'a field name of NUL': (token: string) => named('token\0', token),
  'no line end before its end': (token: string) => named('token', token).slice(0, -2),
  'a part without a name': (token: string) => part('', token),
  'headers without an end': (token: string) =>
    `--${BOUNDARY}\r\nContent-Disposition: form-data; name="token"${token.repeat(200)}`,
}).map(([name, write]) =>
  refuses(`multipart: ${name}`, (genuine) => {
    const body = `${write(genuine.body.toString('latin1').replace('token=', ''))}--${BOUNDARY}--\r\n`;
    return withHeader(withBody(genuine, body), 'Content-Type', `multipart/form-data; boundary=${BOUNDARY}`);
  }),
);

const vouchedForms = Object.entries({
  'a field twice': 'workItemId=a&workItemId=b&workItemVersionId=v',
  'a field __proto__': 'workItemId=a&workItemVersionId=v&__proto__=1',
  'too many fields': `workItemId=a&workItemVersionId=v${'&a=b'.repeat(1_000)}`,
  'too few fields': 'workItemId=a',
  'a field that is too deep': `workItemId=a&workItemVersionId=v&documents=${'['.repeat(40)}${']'.repeat(40)}`,
}).map(([name, body]) =>
  accepts(`vouched for: ${name}`, (genuine) => withBody(genuine, body), {
    like: { switches: { tokenBody: 'form' } },
  }),
);

/** Group F. */
export const ownContents: readonly Own[] = [
  own(
    'F1',
    'keeps further content that is no JSON, and refuses it without a proof',
    {
      'risr*unproven': 'proof_malformed',
      'hotdocs/form: *unproven': 'proof_malformed',
      '*unproven': 'proof_missing',
      '*': 'json_invalid',
    },
    together(
      at(
        'phenixid hotdocs/token',
        Object.entries(notJson).map(([name, content]) => misfit(name, () => content)),
      ),
      at(
        'phenixid hotdocs/form hotdocs/token risr',
        Object.entries(notJson).map(([name, content]) =>
          refuses(`${name}, unproven`, (genuine) => unproven(genuine, content)),
        ),
      ),
    ),
  ),
  own(
    'F4',
    'acts on no number that could have been another one',
    { '*: an integer that is not safe': 'json_forbidden', '*': 'done' },
    at(
      WRITTEN,
      members({
        'an integer that is not safe': ',"x":-9007199254740992',
        'the largest safe integers': ',"x":[9007199254740991,-9007199254740991]',
        'a long number that is a text': ',"x":"12345678901234567890"',
        'a constructor that is a number': ',"constructor":4',
      }),
    ),
  ),
  own(
    'F5',
    'reads 32 levels and no more',
    { '*: 33 levels': 'json_forbidden', '*': 'done' },
    at(WRITTEN, members({ '32 levels': lists(31), '33 levels': lists(32) })),
  ),
  own(
    'F9',
    'reads a form as its sender writes it',
    {
      '*: fine: *': 'done',
      '*: ever deeper field names': 'proof_missing',
      '*: the field twice*': 'proof_ambiguous',
      '*: multipart: a file name that is a path': 'proof_missing',
      '*: multipart: a field name of NUL': 'proof_missing',
      '*: vouched for: too many fields': 'json_invalid',
      '*: vouched for: too few fields': 'payload_invalid',
      '*: vouched for: *': 'json_forbidden',
      '*': 'proof_malformed',
    },
    together(
      at('hotdocs/form', [...refusedForms, ...acceptedForms, ...multipartForms]),
      at('hotdocs/token', vouchedForms),
    ),
  ),
];
