import { isTokenBody, proofKindOf } from '../endpoints.ts';
import type { EndpointUnderTest, Rule, Trial } from '../rule.ts';
import type { Changes, Genuine } from '../stage.ts';
import { answered, refused, refusedAnew, type RefusalOptions, type Statuses } from '../trials.ts';
import { hasBody, mediaTypeOf, replaced, unproven, withBody, withHeader } from '../making/edit.ts';
import { where } from '../making/answers.ts';

/** Group E, first part: bytes that decode to the same text are other bytes, and the type of a body is not signed. */
export const byteRules: readonly Rule[] = [
  {
    id: 'E1-bom',
    group: 'E',
    title: 'takes a body with a byte order mark in front for another body',
    severity: 'medium',
    grade: 'authentic',
    level: 1,
    why: 'Code that turns the body into text first drops the mark silently: what is verified is not what came.',
    fix: 'Keep the body as bytes until it is verified, and verify exactly those.',
    trials: (at) =>
      proofKindOf(at) === 'access token' || !hasBody(at)
        ? []
        : [
            inFront('of UTF-8', [0xef, 0xbb, 0xbf], at),
            inFront('of UTF-16', [0xff, 0xfe], at),
            inFront('of UTF-8, twice', [0xef, 0xbb, 0xbf, 0xef, 0xbb, 0xbf], at),
          ],
  },
  {
    id: 'E2-byte-twins',
    group: 'E',
    title: 'tells bytes apart that decode to the same text',
    severity: 'high',
    grade: 'authentic',
    level: 1,
    why: 'Every byte that is no UTF-8 decodes to the same replacement character. A signature checked over text fits bodies that were never signed.',
    fix: 'Compute the signature over the bytes as they came, never over a decoded text.',
    trials: (at) => {
      if (!hasBody(at)) return [];
      if (proofKindOf(at) === 'signature header') return twins;
      return proofKindOf(at) === 'token' ? eighthBits(at) : [];
    },
  },
  {
    id: 'E7-blanks',
    group: 'E',
    title: 'counts blanks and line ends of a signed body',
    severity: 'medium',
    grade: 'authentic',
    level: 1,
    why: 'Who trims or parses before verifying has verified another body than the one that came.',
    fix: 'Compute the signature over the bytes as they came, before anything trims, parses or prints them anew.',
    trials: where(
      (at) => proofKindOf(at) === 'signature header',
      (at) => [
        ...('pretty' in at.source.switches ? respelledWithin() : []),
        respelled('a line end behind', (text) => `${text}\n`),
        respelled('a carriage return and a line end behind', (text) => `${text}\r\n`),
        respelled('a blank in front', (text) => ` ${text}`),
      ],
    ),
  },
  {
    id: 'E8-content-type',
    group: 'E',
    title: 'survives any Content-Type',
    severity: 'high',
    grade: 'correct',
    level: 1,
    why: 'Where no body parser feels responsible there is no body, and code that expects one throws: anybody can cause errors, and a proxy that changes the header loses events.',
    fix: 'Read the body yourself, whatever its type is called, or refuse types that the sender does not use with 415.',
    trials: where(hasBody, () => [...types.map(retyped), ...untypedGarbage()]),
  },
];

/** A token that is found behind the mark is the same token; a signed body is not the same body. */
function inFront(name: string, mark: readonly number[], at: EndpointUnderTest): Trial {
  const options: RefusalOptions =
    proofKindOf(at) === 'token' ? { also: [400, 415], accepted: 'warned' } : { also: [400] };
  const change = (genuine: Genuine) => withBody(genuine, Buffer.concat([Buffer.from(mark), genuine.body]));
  return refused(`a mark ${name}`, change, options);
}

const REPLACEMENT = '\ufffd';

const twins: readonly Trial[] = [
  twin('a byte that is no UTF-8', [0xff]),
  twin('a part of a character', [0xe2, 0x82]),
  twin('an overlong form', [0xc0, 0xaf]),
  twin('half a surrogate pair', [0xed, 0xa0, 0x80]),
];

function twin(name: string, bytes: readonly number[]): Trial {
  const like: Changes = { set: [{ path: 'note', value: REPLACEMENT }] };
  return refused(
    `${name} for U+FFFD`,
    (genuine) => withBody(genuine, replaced(genuine.body, REPLACEMENT, Buffer.from(bytes))),
    { like, also: [400] },
  );
}

/** A decoder that takes text for ASCII drops the bit again. */
function eighthBits(at: EndpointUnderTest): Trial[] {
  const tokenAt = isTokenBody(at) ? 0 : 'token='.length;
  return [8, 60].map((place) =>
    refused(
      `an eighth bit in character ${place} of the token`,
      (genuine) => {
        const body = Buffer.from(genuine.body);
        const index = tokenAt + place;
        body.writeUInt8(body.readUInt8(index) | 0x80, index);
        return withBody(genuine, body);
      },
      { also: [400] },
    ),
  );
}

/** Of a sender that can print its content on several lines. */
function respelledWithin(): Trial[] {
  const like: Changes = { switches: { pretty: 'yes' } };
  return [
    respelled('CRLF for LF', (text) => text.replaceAll('\n', '\r\n'), like),
    respelled('without line ends', (text) => text.replaceAll('\n', ''), like),
    respelled('a tab for two blanks', (text) => text.replaceAll('  ', '\t'), like),
    respelled('parsed and printed anew', (text) => JSON.stringify(JSON.parse(text)), like),
  ];
}

function respelled(name: string, respell: (text: string) => string, like: Changes = {}): Trial {
  return refused(name, (genuine) => withBody(genuine, respell(genuine.body.toString())), { like });
}

/** Read as what it is, or refused for its type. */
const READ_OR_NOT: Statuses = ['2xx', 400, 401, 429, 415, 422];

const types: readonly (readonly [name: string, values: readonly string[]])[] = [
  ['no Content-Type', []],
  ['an empty Content-Type', ['']],
  ['nothing but semicolons', [';;;']],
  ['no slash', ['json']],
  ['only a slash', ['/']],
  ['HTML', ['text/html']],
  ['plain text', ['text/plain']],
  ['JSON', ['application/json']],
  ['a form', ['application/x-www-form-urlencoded']],
  ['bytes', ['application/octet-stream']],
  ['XML', ['application/xml']],
  ['a multipart form without a boundary', ['multipart/form-data']],
  ['a multipart form with an empty boundary', ['multipart/form-data; boundary=']],
  ['a multipart form with another boundary', ['multipart/form-data; boundary=other']],
  ['a parameter without end', ['application/json; x="']],
  ['two of them', ['text/html', 'image/png']],
  ['a member of Object', ['constructor/__proto__']],
];

function retyped([name, values]: readonly [name: string, values: readonly string[]]): Trial {
  return answered(
    `called ${name}`,
    (genuine) => {
      const same = values.length === 1 && values[0] === mediaTypeOf(genuine);
      const shown = same ? [`${values[0] ?? ''}; called=so`] : values;
      return withHeader(genuine, 'Content-Type', ...shown);
    },
    READ_OR_NOT,
  );
}

function untypedGarbage(): Trial[] {
  return ['', '{}', 'x'].map((body) =>
    refusedAnew(
      `${body === '' ? 'nothing' : body}, without a type and a proof`,
      async (stage) => unproven(await stage.genuine(), body),
      { also: [400, 415] },
    ),
  );
}
