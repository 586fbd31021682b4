import { isUtf8 } from 'node:buffer';

/**
 * Text in the encoding that its bytes show: by its byte order mark, which is left out, by the zeros that every second byte
 * of JSON or names in UTF-16 is, or as UTF-8. Only what is none of these is read as its `charset` says.
 */
export function textIn(bytes: Buffer, charset = 'utf-8'): string {
  const [first = 1, second = 1] = bytes;
  if (first === 0xff && second === 0xfe) return bytes.toString('utf16le').slice(1);
  if (first === 0xfe && second === 0xff) return bigEndian(bytes).slice(1);
  if (second === 0 && first !== 0) return bytes.toString('utf16le');
  if (first === 0 && second !== 0) return bigEndian(bytes);
  const text = isUtf8(bytes) ? bytes.toString('utf8') : decoded(bytes, charset);
  return text.startsWith('\ufeff') ? text.slice(1) : text;
}

/** A last byte that has no partner is no letter. */
function bigEndian(bytes: Buffer): string {
  return Buffer.from(bytes.subarray(0, bytes.length & ~1))
    .swap16()
    .toString('utf16le');
}

function decoded(bytes: Buffer, charset: string): string {
  try {
    return new TextDecoder(charset).decode(bytes);
  } catch {
    return bytes.toString('utf8'); // a charset that nobody knows
  }
}

/** What a Content-Encoding says although the bytes are as they are: no coding, or by mistake the charset or how mail goes. */
const NO_CODING: ReadonlySet<string> = new Set([
  ...['', 'identity', 'none', 'binary', '7bit', '8bit'],
  ...['utf-8', 'utf8', 'us-ascii', 'iso-8859-1'],
]);

/** Whether a Content-Encoding means that the bytes are packed, or may be. */
export function isEncoded(codings: string): boolean {
  return codings.split(',').some((coding) => !NO_CODING.has(coding.trim().toLowerCase()));
}
