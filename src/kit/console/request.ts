import { isUtf8 } from 'node:buffer';
import { html, type Html } from '../reading/html.ts';
import { maskedRequest } from '../tape/masked.ts';
import type { Kept } from '../tape/tape.ts';

const LONGEST = 20_000;
const DUMPED = 512;

/** A delivery as it came. In the place of each credential stands its length; what it says is shown only where that was asked for. */
export function requestHtml(kept: Kept, revealed: boolean): Html {
  const { method, httpVersion, body, whole, from } = kept;
  const { target, headers, body: text, claims } = maskedRequest(kept, { content: revealed });
  const shown = headers.map(
    ([name, value]) =>
      [name, revealed || PLAIN.test(name) || MASKED.test(value) ? value : hidden(value)] as const,
  );
  const lines = [
    `${method} ${target} HTTP/${httpVersion}`,
    ...shown.map(([name, value]) => `${name}: ${value}`),
  ];
  const bytes = `${body.length} bytes of body${whole ? '' : ', and it had more'}${from === undefined ? '' : `, from ${from}`}`;
  return html`<pre>${lines.join('\n')}</pre>
    <p>${bytes}</p>
    ${text === undefined || text === '' ? html`` : html`<pre><bdi>${cut(text)}</bdi></pre>`}
    ${claims.map(
      (claim) =>
        html`<p>What its token says:</p>
          <pre><bdi>${cut(claim)}</bdi></pre>`,
    )}
    ${
      text !== undefined &&
      text !== '' &&
      html`<details>
        <summary>Its first bytes</summary>
        <pre>${dump(Buffer.from(text, isUtf8(body) ? 'utf8' : 'latin1'))}</pre>
      </details>`
    }
    <details>
      <summary>As a line for curl</summary>
      <pre>${curl(kept, shown, target, text)}</pre>
      <p>Credentials are left out. <code>npm run tape -- play ${kept.number} --url …</code> signs it anew.</p>
    </details>`;
}

/** Headers that say nothing of anybody. */
const PLAIN =
  /^(host|user-agent|accept(-.*)?|content-(type|length|encoding)|connection|transfer-encoding|date|x-request-id)$/i;
/** As `maskedRequest` leaves it. */
const MASKED = /^<\d+ characters>$/;

function hidden(value: string): string {
  return `<${value.length} characters>`;
}

function curl(
  { method }: Kept,
  headers: ReturnType<typeof maskedRequest>['headers'],
  target: string,
  body: string | undefined,
): string {
  const own = headers.filter(([name]) => !/^(host|content-length|connection)$/i.test(name));
  const host = headers.find(([name]) => name.toLowerCase() === 'host')?.[1] ?? 'localhost';
  return [
    `curl -X ${method} ${quoted(`http://${host}${target}`)}`,
    ...own.map(([name, value]) => `-H ${quoted(`${name}: ${value}`)}`),
    ...(body === undefined || body === '' ? [] : [`--data-binary ${quoted(cut(body))}`]),
  ].join(' \\\n  ');
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}

function cut(text: string): string {
  return text.length > LONGEST
    ? `${text.slice(0, LONGEST)}… and ${text.length - LONGEST} more characters`
    : text;
}

/** Sixteen bytes a line, as `hexdump -C` writes them. */
function dump(bytes: Buffer): string {
  const rows = Math.ceil(Math.min(bytes.length, DUMPED) / 16);
  return Array.from({ length: rows }, (_, row) => {
    const part = bytes.subarray(row * 16, row * 16 + 16);
    const hex = part.toString('hex').replace(/../g, '$& ').padEnd(48);
    return `${(row * 16).toString(16).padStart(6, '0')}  ${hex} ${part.toString('latin1').replace(/[^ -~]/g, '.')}`;
  }).join('\n');
}
