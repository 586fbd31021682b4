// Words for the log on what is wrong with a token: what it looks like, and never anything that stands in it.

/** Of a text that anybody can have sent. */
const LOOKED_AT = 100;

/** By how it begins, what came instead of a token, or around one. */
const INSTEAD: readonly (readonly [beginning: RegExp, words: string])[] = [
  [/^[{[]/, 'JSON came. Does the sender have signing switched off, or use the JSON serialisation?'],
  [
    /^["']/,
    'one in quotes came. Something has turned it into JSON: it is to be sent as it is, in Python with data=token and not ' +
      'json=token.',
  ],
  [/^(?:Bearer|Token|JWT)[ \t]/i, 'a word came before it that belongs into an Authorization header only.'],
  [
    /^token=/i,
    'a form came. Is this the endpoint of another sender, or is the token sent with a form library?',
  ],
  [
    /^(?:\u00ef\u00bb\u00bf|\ufeff)/,
    'one behind a byte order mark came. In .NET write it with new UTF8Encoding(false) or as ASCII.',
  ],
  [/^(?:\u00ff\u00fe|\u00fe\u00ff|.?\0)/, 'text in UTF-16 came. It is to be sent in ASCII.'],
  [/^<(?:!|html|\?xml)/i, 'a page or XML came. Did a proxy put its own page in the place of the delivery?'],
];

/** Words on it, where that shows. */
export function cameInstead(text: string): string | undefined {
  const beginning = text.slice(0, LOOKED_AT).replace(/^[ \t\r\n]+/, '');
  const words = INSTEAD.find(([shape]) => shape.test(beginning))?.[1];
  return words === undefined ? undefined : `Expected a token alone, ${words}`;
}

/** What came instead of three parts, as far as its beginning and its dots give it away. */
export function shapeOf(token: string): string {
  const instead = cameInstead(token);
  if (instead !== undefined) return instead;
  const parts = token.split('.', 6).length;
  if (parts === 5)
    return 'Expected a token of three parts: five came, which is an encrypted token (JWE). Switch encryption off at the sender.';
  return `Expected a token of three parts: ${parts > 5 ? 'more than five' : parts} came.`;
}

/** Named in messages; any other text may be anything, so it is not repeated. */
const KNOWN_ALGORITHMS: readonly unknown[] = ['none', 'HS384', 'HS512'];

/** Signed with a private key. */
const ASYMMETRIC = /^(?:(?:RS|PS|ES)(?:256|384|512)|ES256K|EdDSA|Ed25519|Ed448)$/;
/** The names of XML signatures, which .NET writes for the names that end in `Signature`. */
const XML_ALGORITHMS = 'http://www.w3.org/';

const LOOK_AT_SENDER =
  'Check which algorithm the sender is set to; if that is right, somebody is trying tokens of his own.';

/** Which `alg` came instead of the expected one, and the likely cause. */
export function otherAlgorithm(algorithm: unknown, expected: string): string {
  if (algorithm === undefined) return `it has no alg. ${LOOK_AT_SENDER}`;
  if (typeof algorithm !== 'string') return `its alg is no text. ${LOOK_AT_SENDER}`;
  if (KNOWN_ALGORITHMS.includes(algorithm)) return `${algorithm} came. ${LOOK_AT_SENDER}`;
  if (ASYMMETRIC.test(algorithm)) {
    return (
      `${algorithm} came, which signs with a private key: the token is likely that of an identity provider or a gateway ` +
      'in front, which has put it in the place of the sender’s.'
    );
  }
  if (algorithm.startsWith(XML_ALGORITHMS)) {
    return (
      'its name in XML signatures came, a URI. In .NET the sender must sign with SecurityAlgorithms.HmacSha256, not ' +
      'with HmacSha256Signature.'
    );
  }
  if (algorithm.trim().toUpperCase() === expected) {
    return 'it came in other letters or with blanks around it. The sender must write it exactly so.';
  }
  return `something else came. ${LOOK_AT_SENDER}`;
}

/** Why a signature is shorter or longer than expected. */
export function causeOfLength(part: string, expected: number): string {
  if (part.length < expected) return 'Was the token cut off?';
  const behind = part.slice(expected, expected + LOOKED_AT);
  if (/^[\s+]+$/.test(behind)) {
    return 'A line end or a blank stands behind it. Does whatever writes the token, or the form, add one? It is to be left out.';
  }
  if (/^=+\s*$/.test(behind)) return 'It is padded with "=", which a token never is.';
  if (/^["']/.test(behind)) return 'A quotation mark stands behind it: it is to be sent without.';
  return 'Is something written behind the token?';
}
