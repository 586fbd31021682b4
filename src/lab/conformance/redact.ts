/** Takes secrets and proofs out of a text that is going to be shown. */
export type Redact = (text: string) => string;

const WINDOW = 8;
/** Tokens, signatures in hex or base64, and whatever else has no words in it. */
const PROOF_LIKE = /[A-Za-z0-9+/_-]{40,}={0,2}/g;

/** Masks every piece of a secret of eight characters or more, in any letter case, and everything that looks like a proof. */
export function createRedact(secrets: readonly string[]): Redact {
  const mask = createMask(secrets, '<secret>');
  return (text) => mask(text).replace(PROOF_LIKE, '<proof>');
}

/** Masks every piece of these texts, and nothing else. */
export function createMask(texts: readonly string[], by: string): Redact {
  // Of many requests with the same megabyte, one is enough.
  const distinct = new Set(texts.map((one) => one.toLowerCase()));
  const windows = new Set([...distinct].flatMap(windowsOf));
  const short = texts.filter((one) => one !== '' && one.length < WINDOW);
  return (text) => short.reduce((rest, one) => rest.replaceAll(one, by), maskWindows(text, windows, by));
}

/** Also masks what shows when a word of the text is decoded once more. */
export function throughBase64(mask: Redact): Redact {
  return (text) =>
    mask(text).replace(PROOF_LIKE, (word) => {
      const inner = Buffer.from(word, 'base64').toString('latin1');
      return mask(inner) === inner ? word : '<proof>';
    });
}

function windowsOf(text: string): string[] {
  const count = Math.max(text.length - WINDOW + 1, 0);
  return Array.from({ length: count }, (_, at) => text.slice(at, at + WINDOW));
}

function maskWindows(text: string, windows: ReadonlySet<string>, by: string): string {
  const lower = text.toLowerCase();
  let result = '';
  let maskedUntil = 0;
  for (let at = 0; at < text.length; at += 1) {
    if (windows.has(lower.slice(at, at + WINDOW))) {
      if (at >= maskedUntil) result += by;
      maskedUntil = at + WINDOW;
    }
    if (at >= maskedUntil) result += text.charAt(at);
  }
  return result;
}

/** Text that can be shown anywhere: other characters than printable ASCII as escapes. */
export function printable(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, (unit) => `\\x${unit.charCodeAt(0).toString(16).padStart(2, '0')}`);
}
