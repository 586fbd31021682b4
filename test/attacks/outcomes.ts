import type { DeadLetterReason, RejectionCode } from '../../src/kit/errors.ts';
import { matches, type Case } from '../../src/lab/conformance/plan.ts';
import type { Rule } from '../../src/lab/conformance/rule.ts';
import { rules } from '../../src/lab/conformance/rules/index.ts';
import { ownTrials } from './own/index.ts';

/** What one request comes to inside our receiver: why it was refused, or what became of the entry that it left. */
export type Outcome = RejectionCode | DeadLetterReason | 'done' | 'duplicate';

/** By `door: trial`, `*` standing for anything; the first line that fits counts. */
export type Outcomes = Readonly<Record<string, Outcome | readonly Outcome[]>>;

const MULTIPART = 'hotdocs/multipart: called *';
const NO_OBJECT = ['plain text', 'nothing', 'blanks', 'a string', 'a number', 'true', 'null', 'XML', 'bytes'];

function each(names: readonly string[], outcome: Outcome): Outcomes {
  return Object.fromEntries(names.map((name) => [name, outcome]));
}

const ofRules: Readonly<Record<string, Outcomes>> = {
  'A1-none': { '*, no third part': 'proof_malformed', '*': 'proof_header_refused' },
  'A2-family': { '*': 'proof_header_refused' },
  'A3-stronger-hash': {
    '*with the right secret': 'proof_header_refused',
    '*cut to 32 bytes*': 'proof_mismatch',
    '*': 'proof_malformed',
  },
  'A4-algorithm-spelling': { '*': 'proof_header_refused' },
  'A5-signature-bytes': {
    '*: zeros': 'proof_mismatch',
    '*: ones': 'proof_mismatch',
    '*: one bit wrong': 'proof_mismatch',
    '*': 'proof_malformed',
  },
  'A6-parts-swapped': { '*': 'proof_mismatch' },
  'A7-guessable-key': { '*': 'proof_mismatch' },
  'A9-kid': {
    '*: a name that no key has*': 'proof_mismatch',
    '*: the prototype of objects*': 'proof_mismatch',
    '*: a member of all objects*': 'proof_mismatch',
    '*: a text of 12 kB*': 'proof_malformed',
    '*': 'proof_header_refused',
  },
  'A10-own-key': { '*': 'proof_header_refused' },
  'A11-crit': { '*': 'proof_header_refused' },
  'A12-unencoded': {
    'hotdocs/header: *payload as it is': 'proof_missing',
    'hotdocs/body: *payload as it is': 'proof_missing',
    '*': 'proof_header_refused',
  },
  'A13-serialisation': { '*': 'proof_malformed' },
  'A14-parts': { '*': 'proof_malformed' },
  'A15-alphabet': { 'hotdocs/header: *a line end inside': 'request_malformed', '*': 'proof_malformed' },
  'A16-members-twice': { '*': 'proof_malformed' },
  'A17-header-shape': { '*: a zip member*': 'proof_header_refused', '*': 'proof_malformed' },
  'A19-expired': { 'hotdocs*exp negative': 'proof_malformed', '*': 'proof_stale' },
  'A19-tolerance': { '*': 'done' },
  'A19-time-types': { '*': 'proof_malformed' },
  'A20-payload-shape': { '*': 'proof_malformed' },
  'A23-other-endpoint': { '*': 'proof_mismatch' },
  'A24-wrapped': { 'hotdocs/header: before NUL': 'request_malformed', '*': 'proof_malformed' },
  'A25-other-place': {
    'risr: in a form': 'proof_malformed',
    'risr: in a JSON member': 'proof_malformed',
    'risr: *beside its payload': 'proof_malformed',
    '*': 'proof_missing',
  },
  'A26-field-spelling': {
    '*: twice': 'proof_ambiguous',
    '*: before *': 'proof_ambiguous',
    '*: behind *': 'proof_ambiguous',
    '*': 'proof_missing',
  },
  'A27-downgrade': { 'risr: unsigned*': 'proof_malformed', '*': 'proof_missing' },
  'A28-again': { '*': ['done', 'duplicate'] },

  'B1-missing': {
    '*: no header': 'proof_missing',
    '*says nothing': 'proof_missing',
    '*says a blank': 'proof_missing',
    '*': 'proof_malformed',
  },
  'A29-alike': {
    '*: a signature: a pattern': ['proof_malformed', 'proof_missing'],
    '*: a signature: in other letters': ['proof_malformed', 'proof_mismatch', 'proof_missing'],
    '*: a signature: of another type': ['proof_malformed', 'proof_missing'],
    '*': 'proof_mismatch',
  },
  'B13-alike': {
    '*: a signature: a pattern': 'proof_malformed',
    '*: a signature: in other letters': 'proof_malformed',
    '*: a signature: of another type': ['proof_malformed', 'proof_mismatch'],
    '*': 'proof_mismatch',
  },
  'B2-length': { '*': 'proof_malformed' },
  'B3-hex': { '*': 'proof_malformed' },
  'B4-base64': { '*': 'proof_malformed' },
  'B5-other-scheme': {
    '*: an HMAC of sha512, cut*': 'proof_mismatch',
    '*: an HMAC of *': 'proof_malformed',
    '*: a prefix twice': 'proof_malformed',
    '*: the prefix of another scheme': 'proof_malformed',
    '*: the form t=,v1=': 'proof_ambiguous',
    '*': 'proof_mismatch',
  },
  'B6-several': { '*: a list with blanks': 'proof_malformed', '*': 'proof_ambiguous' },
  'B7-other-name': { '*': 'proof_missing' },
  'B8-signed-something-else': { '*': 'proof_mismatch' },
  'B9-body-changed': { '*': 'proof_mismatch' },
  'B12-handshake': { '*': 'proof_missing' },

  'C1-key': { '*': 'installation_unknown' },
  'C2-key-place': { '*': 'installation_unknown' },
  'C3-key-spelling': { '*': 'installation_unknown' },
  'C6-other-installation': { '*': 'proof_mismatch' },
  'C7-alike': { '*': 'proof_mismatch' },
  'C8-key-alike': { '*': 'installation_unknown' },
  'C1-access-token': {
    '*: no header': 'proof_missing',
    '*: nothing': 'proof_missing',
    '*': 'proof_mismatch',
  },
  'C2-access-token-place': {
    '*: before a wrong one': 'proof_ambiguous',
    '*: behind a wrong one': 'proof_ambiguous',
    '*: in a list': 'proof_mismatch',
    '*': 'proof_missing',
  },
  'C3-access-token-spelling': { '*: NUL behind': 'request_malformed', '*': 'proof_mismatch' },

  'E1-bom': { 'phenixid*': 'proof_mismatch', 'risr*': 'proof_malformed', '*': 'proof_missing' },
  'E2-byte-twins': {
    'phenixid*': 'proof_mismatch',
    'hotdocs/multipart: *character 8 *': 'proof_missing',
    '*': 'proof_malformed',
  },
  'E3-charset': {
    'hotdocs/json: written in utf-16le': 'proof_malformed',
    'hotdocs*written in *': 'proof_missing',
    'risr: written in *': 'proof_malformed',
    'phenixid: written in *': 'proof_mismatch',
    [MULTIPART]: 'proof_malformed',
    '*': 'done',
  },
  'E4-content-encoding': { '*': 'body_encoded' },
  'E4-identity': { '*': 'done' },
  'E5-broken-encoding': { '*': 'body_encoded' },
  'E6-odd-characters': {
    '*: half a surrogate pair': 'json_forbidden',
    '*: the other half': 'json_forbidden',
    '*: two halves in the wrong order': 'json_forbidden',
    ...noText('phenixid', 'json_invalid'),
    ...noText('hotdocs/token', 'json_invalid'),
    ...noText('*', 'proof_malformed'),
    '*': 'done',
  },
  'E7-blanks': { '*': 'proof_mismatch' },
  'E8-content-type': {
    'risr: {}, without a type and a proof': 'proof_malformed',
    'risr: x, without a type and a proof': 'proof_malformed',
    '*without a type and a proof': 'proof_missing',
    [`${MULTIPART}multipart*`]: 'proof_malformed',
    [MULTIPART]: 'proof_missing',
    '*': 'done',
  },

  'F1-not-json': {
    ...each(
      ['risr*: nothing, unproven', 'risr*: blanks, unproven', 'phenixid*unproven', 'hotdocs/token*unproven'],
      'proof_missing',
    ),
    'risr*unproven': 'proof_malformed',
    ...each(
      NO_OBJECT.map((name) => `*: ${name}, unproven`),
      'proof_missing',
    ),
    '*unproven': 'proof_malformed',
    // Read as a query, it has as few fields as others before it.
    'hotdocs/token: nothing,*': ['payload_invalid', 'duplicate'],
    '*': 'json_invalid',
  },
  'F2-members-twice': {
    'hotdocs*in two letter cases': 'json_forbidden',
    '*in two letter cases': 'done',
    '*': 'json_forbidden',
  },
  'F3-object-members': {
    ...each(['*: methods of objects', '*: then', '*: length', '*: an empty name'], 'done'),
    '*': 'json_forbidden',
  },
  'F4-numbers': { '*: minus zero': 'done', '*': 'json_forbidden' },
  'F5-depth': {
    'phenixid: lists without end': 'json_invalid',
    'hotdocs/token: lists without end': 'json_invalid',
    '*: lists without end': 'proof_malformed',
    '*': 'json_forbidden',
  },
  'F6-size': { '*': 'done' },
  'F7-shape': {
    '*: members that nobody has heard of': 'done',
    'hotdocs/query: an empty object': 'done',
    'hotdocs/header: an empty object': 'done',
    '*: an empty object': 'payload_invalid',
    // In the place of each member in turn, whether it is needed or not.
    '*': ['done', 'payload_invalid', 'event_unknown'],
  },
  'F8-event-type': {
    'hotdocs*: null': 'done',
    'hotdocs*: missing': 'done',
    'hotdocs*': 'event_unknown',
    ...each(
      [
        'empty',
        'null',
        'a number',
        'a list',
        'an object',
        'with a line end',
        'with NUL',
        'of 3,000 letters',
      ].map((name) => `*: ${name}`),
      'payload_invalid',
    ),
    '*: missing': 'payload_invalid',
    '*': 'event_unknown',
  },
  'F9-form': {
    ...each(
      [
        '*: 1,001 fields before the token',
        '*: 20,000 fields behind the token',
        '*: 2,000 parts before it',
        '*: no end',
        '*: a part without a name',
        '*: a part inside a part',
        '*: headers without an end',
      ],
      'proof_malformed',
    ),
    ...each(
      ['*: semicolons between fields', '*: as a file', '*: nothing at all', '*: only its end'],
      'proof_missing',
    ),
    '*': 'done',
  },
  'F10-hostile-text': { '*': 'done' },

  'G1-body-length': { '*': 'request_malformed' },
  'G2-chunks': {
    '*: one chunk': 'done',
    '*: chunks *': 'done',
    '*: an extension of 200 kB': 'body_too_large',
    '*: trailers of 2 MB': 'headers_too_large',
    '*': 'request_malformed',
  },
  'G3-announced-size': { '*': 'body_too_large' },
  'G5-head': {
    '*: * of 2 MB': 'headers_too_large',
    '*: 400,000 headers': 'headers_too_large',
    '*': 'request_malformed',
  },
  'G6-host': {
    '*: the Host of another site': 'done',
    '*: a Host that is none': 'done',
    '*: 100-continue': 'done',
    '*: an unknown expectation': 'expectation_unknown',
    '*': 'request_malformed',
  },
  'G7-protocols': {
    '*: HTTP/1.0': 'done',
    'hotdocs/form: HTTP/0.9': 'request_malformed',
    '*: HTTP/0.9': 'method_not_allowed',
    '*': 'request_malformed',
  },
  'G7-upgrade': { '*': 'done' },
  'G10-room': { '*': 'done' },
  'G10-limit': { '*': 'body_too_large' },

  'H1-method': {
    '*: method FROBNICATE': 'request_malformed',
    '*: method post': 'request_malformed',
    '*': 'method_not_allowed',
  },
  'H1-override': { '*: the right method*': 'done', '*': 'method_not_allowed' },
  'H2-path': {
    '*: percent 2f*': 'request_malformed',
    '*:  backslash*': 'request_malformed',
    '*': 'path_unknown',
  },
  'H3-unknown-path': { '*': 'path_unknown' },
};

/** For each rule about refusals and misfits, at level 1, and for what is tried on us alone. */
export const outcomes: Readonly<Record<string, Outcomes>> = {
  ...ofRules,
  ...Object.fromEntries(ownTrials.map((one) => [one.rule.id, one.outcomes])),
};

function noText(door: string, outcome: Outcome): Outcomes {
  const names = ['a raw *', 'an overlong slash', 'a surrogate in UTF-8', 'a fifth byte', 'Latin-1', 'UTF-16'];
  return each(
    names.map((name) => `${door}: ${name}`),
    outcome,
  );
}

/** The rules about refusals and misfits that one request shows, and what is tried on us alone. */
export const judged: readonly Rule[] = [
  ...rules.filter(
    ({ group, level, exhausting, needs }) =>
      /[ABCEFGH]/.test(group) && level === 1 && exhausting !== true && needs === undefined,
  ),
  ...ownTrials.map(({ rule }) => rule),
];

export function isJudged({ rule, id }: Case): boolean {
  return !together.some((pattern) => matches(pattern, rule.id, id));
}

/** Not to be judged request by request: many connections at once, and two requests in one. */
export const together: readonly string[] = [
  'G4-many-open',
  'G11-long-runs',
  'G12-large-content',
  'G8-goes-away',
  'G7-protocols/*/a-genuine-request-behind-one-that-proves-nothing',
];

/** Places in which only what looks like a token is taken for one. */
const BY_SHAPE = ['hotdocs/header', 'hotdocs/body'];

export interface Expected {
  /** As it stands in the table; `undefined` if the table has no line for the case. */
  readonly line: string | undefined;
  readonly outcomes: readonly Outcome[];
}

export function expectedOf({ rule, endpoint, trial }: Case): Expected {
  const table = outcomes[rule.id] ?? {};
  const text = `${endpoint.name}: ${trial.name}`;
  const line = Object.keys(table).find((pattern) => matches(pattern, '', text));
  const listed = line === undefined ? [] : [table[line] ?? []].flat();
  const shaped = BY_SHAPE.includes(endpoint.name) && listed.includes('proof_malformed');
  return {
    line,
    outcomes: shaped ? [...listed, 'proof_missing'] : listed,
  };
}
