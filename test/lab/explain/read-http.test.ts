import { describe, expect, it } from '@jest/globals';
import { readHar } from '../../../src/lab/explain/read-har.ts';
import { readRawHttp } from '../../../src/lab/explain/read-http.ts';
import { UsageError } from '../../../src/lab/usage.ts';

const HEAD = ['POST /phenixid?key=north HTTP/1.1', 'Host: receiver.example', 'X-Signature: ab'];
const JSON_BODY = '{"eventType":"OrderSigned"}';
const RESPONSE = 'HTTP/1.1 401 Unauthorized\r\nContent-Length: 24\r\n\r\n{"error":"unauthorized"}';

function message(head: readonly string[], body: string | Buffer, end = '\r\n'): Buffer {
  return Buffer.concat([Buffer.from(head.join(end) + end + end), Buffer.from(body)]);
}

describe('an HTTP message in a file', () => {
  it.each([
    ['CR LF', '\r\n'],
    ['LF', '\n'],
  ])('whose lines end with %s', (_, end) => {
    const body = Buffer.from('{\r\n "name": "Åsa"\n}');
    const request = readRawHttp(message([...HEAD, `Content-Length: ${body.length}`], body, end));
    expect(request).toEqual({
      method: 'POST',
      target: '/phenixid?key=north',
      httpVersion: '1.1',
      headers: ['Host', 'receiver.example', 'X-Signature', 'ab', 'Content-Length', String(body.length)],
      body,
    });
  });

  const length = `Content-Length: ${JSON_BODY.length}`;
  it.each<[string, Buffer, string]>([
    ['with the response behind it', message([...HEAD, length], `${JSON_BODY}${RESPONSE}`), JSON_BODY],
    [
      'with blank lines and the response',
      message([...HEAD, length], `${JSON_BODY}\r\n\r\n${RESPONSE}`),
      JSON_BODY,
    ],
    ['with no length, and the response', message(HEAD, `${JSON_BODY}\r\n${RESPONSE}`), JSON_BODY],
    ['with no body, and the response', message(['GET /x?token=a HTTP/1.1', 'Host: a'], RESPONSE), ''],
    ['with a line end of the editor', message([...HEAD, length], `${JSON_BODY}\n`), JSON_BODY],
    ['with a line end, and no length that says so', message(HEAD, `${JSON_BODY}\n`), `${JSON_BODY}\n`],
    [
      'in chunks',
      message([...HEAD, 'Transfer-Encoding: chunked'], '5;a=b\r\n{"a":\r\n2\r\n1}\r\n0\r\n\r\n'),
      '{"a":1}',
    ],
    [
      'in chunks, with the response',
      message([...HEAD, 'transfer-encoding: chunked'], `7\n{"a":1}\n0\n\n${RESPONSE}`),
      '{"a":1}',
    ],
    [
      'whose chunks a tool took apart',
      message([...HEAD, 'Transfer-Encoding: chunked'], JSON_BODY),
      JSON_BODY,
    ],
    [
      'whose sender waited for 100',
      message(
        [...HEAD, length, 'Expect: 100-continue'],
        `HTTP/1.1 100 Continue\r\n\r\n${JSON_BODY}${RESPONSE}`,
      ),
      JSON_BODY,
    ],
    ['behind blank lines and a byte order mark', Buffer.from(`\ufeff\n\n${HEAD.join('\n')}\n\n{}`), '{}'],
    [
      'in UTF-16, as PowerShell redirects',
      Buffer.from(`\ufeff${HEAD.join('\n')}\n\n{"ä":1}`, 'utf16le'),
      '{"ä":1}',
    ],
    ['of a head alone', Buffer.from(HEAD.join('\n')), ''],
  ])('%s', (_, file, body) => {
    const request = readRawHttp(file);
    expect(request.body.toString()).toBe(body);
    expect(request.doubts).toBeUndefined();
    expect(request.headers.slice(0, 1)).toEqual(['Host']);
  });

  it.each<[string, Buffer, RegExp]>([
    ['shorter', message([...HEAD, 'Content-Length: 40'], JSON_BODY), /says 40 bytes, and 27 .* cut/],
    ['longer', message([...HEAD, 'Content-Length: 20'], JSON_BODY), /says 20 bytes, and 27 .* changed/],
    [
      'shorter, before a response',
      message([...HEAD, 'Content-Length: 40'], `${JSON_BODY}\r\n${RESPONSE}`),
      /and 27/,
    ],
    ['of no announced length', message([...HEAD, 'Content-Length: many'], JSON_BODY), /no number/],
  ])('says when the body is %s than its length', (_, file, doubt) => {
    const request = readRawHttp(file);
    expect(request.body.toString()).toBe(JSON_BODY);
    expect(request.doubts).toEqual([expect.stringMatching(doubt)]);
  });

  it('keeps a repeated header, an empty one, and one in two lines', () => {
    const { headers } = readRawHttp(Buffer.from('GET / HTTP/1.1\nA: 1\na:2\nB:\nC: 1\n 2\n\n'));
    expect(headers).toEqual(['A', '1', 'a', '2', 'B', '', 'C', '1 2']);
  });

  it.each([
    ['POST http://receiver.example:8080/x/y?a=b HTTP/1.0', '/x/y?a=b', '1.0'],
    ['POST /x HTTP/2', '/x', '1.1'],
    ['POST /x HTTP/2.0', '/x', '1.1'],
  ])('reads %s as a receiver behind the proxy gets it', (line, target, httpVersion) => {
    expect(readRawHttp(Buffer.from(`${line}\nhost: a\n\n`))).toMatchObject({ target, httpVersion });
  });

  it('puts the pseudo headers of HTTP/2 where HTTP/1.1 has them', () => {
    const lines = [
      ':method: POST',
      ':authority: a.example',
      ':scheme: https',
      ':path: /x?y',
      'x-signature: ab',
    ];
    expect(readRawHttp(message(lines, '{}'))).toEqual({
      method: 'POST',
      target: '/x?y',
      httpVersion: '1.1',
      headers: ['Host', 'a.example', 'x-signature', 'ab'],
      body: Buffer.from('{}'),
    });
  });
});

describe('what curl writes', () => {
  // Recorded of curl 7.88.1: the body is {"a": "å."} with CR LF and LF in it.
  const text = [
    '=> Send header, 69 bytes (0x45)',
    '0000: POST /phenixid HTTP/1.1',
    '0019: Host: a.example:3000',
    '002f: Content-Length: 23',
    '0043: ',
    '=> Send data, 23 bytes (0x17)',
    '0000: {',
    '0003:  "a": "...".}',
    '0012: ',
    '0014: end',
    '<= Recv header, 27 bytes (0x1b)',
    '0000: HTTP/1.1 401 Unauthorized',
  ];
  const hex = [
    '== Info:   Trying 127.0.0.1:3000...',
    '=> Send header, 47 bytes (0x2f)',
    '0000: 50 4f 53 54 20 2f 78 20 48 54 54 50 2f 31 2e 31 POST /x HTTP/1.1',
    '0010: 0d 0a 48 6f 73 74 3a 20 61 0d 0a                ..Host: a..',
    '001b: 43 6f 6e 74 65 6e 74 2d 4c 65 6e 67 74 68 3a 20 Content-Length: ',
    '002b: 32 33 0d 0a 0d 0a                               23....',
    '=> Send data, 23 bytes (0x17)',
    '0000: 7b 0d 0a 20 22 61 22 3a 20 22 c3 a5 2e 22 0a 7d {.. "a": "...".}',
    '0010: 0d 0a 0d 0a 65 6e 64                            ....end',
    '<= Recv header, 27 bytes (0x1b)',
    '0000: 48 54 54 50 2f 31 2e 31 20 34 30 31 20 55 6e 61 HTTP/1.1 401 Una',
  ];

  it('with --trace, byte by byte', () => {
    const request = readRawHttp(Buffer.from(hex.join('\n')));
    expect(request.body.toString()).toBe('{\r\n "a": "å."\n}\r\n\r\nend');
    expect(request).toMatchObject({
      method: 'POST',
      target: '/x',
      headers: ['Host', 'a', 'Content-Length', '23'],
    });
    expect(request.doubts).toBeUndefined();
  });

  it('with --trace-ascii, and says what that leaves out', () => {
    const request = readRawHttp(Buffer.from(text.join('\r\n')));
    expect(request.body.toString()).toBe('{\r\n "a": "...".}\r\n\r\nend');
    expect(request.headers).toEqual(['Host', 'a.example:3000', 'Content-Length', '23']);
    expect(request.doubts).toEqual([expect.stringContaining('--trace')]);
  });

  it('with --trace-ascii and --trace-time, a form in chunks', () => {
    const lines = [
      '11:40:53.769495 => Send header, 57 bytes (0x39)',
      '0000: POST /x HTTP/1.1',
      '0012: Host: a',
      '001b: Transfer-Encoding: chunked',
      '0037: ',
      '11:40:53.769536 => Send data, 29 bytes (0x1d)',
      '0000: 12',
      '0004: token=eyJhbGciOi.e',
      '0018: 0',
      '001b: ',
    ];
    const request = readRawHttp(Buffer.from(lines.join('\n')));
    expect(request.body.toString()).toBe('token=eyJhbGciOi.e');
  });

  const verbose =
    '* Trying...\n> GET /x?token=a HTTP/1.1\r\n> Host: a\r\n> \r\n< HTTP/1.1 401\r\n{"error":"no"}';
  it('with -v, of a request without a body', () => {
    const request = readRawHttp(Buffer.from(verbose));
    expect(request).toMatchObject({ method: 'GET', target: '/x?token=a', headers: ['Host', 'a'] });
    expect(request).not.toHaveProperty('doubts');
  });

  it('with -v, and says that a body is not in it', () => {
    const request = readRawHttp(Buffer.from(verbose.replace('> \r\n', '> Content-Length: 9\r\n> \r\n')));
    expect(request.body.length).toBe(0);
    expect(request.doubts).toEqual([expect.stringContaining('does not print the body')]);
  });

  it.each([
    ['--trace', [...text, ...text].join('\n')],
    ['-v', verbose + verbose.replace('* Trying', '\n* Trying')],
  ])('with %s, but two requests', (_, file) => {
    expect(() => readRawHttp(Buffer.from(file))).toThrow(UsageError);
  });
});

describe('when it came', () => {
  const date = 'Date: Thu, 14 May 2026 09:30:05 GMT';
  const answer = `HTTP/1.1 401 Unauthorized\r\nVary: a\r\n${date}\r\n\r\n{}`;
  const at = Date.UTC(2026, 4, 14, 9, 30, 5);
  const own = [...HEAD, 'Date: Thu, 14 May 2026 08:00:00 GMT', `Content-Length: ${JSON_BODY.length}`];

  it.each<[string, Buffer | string, number | undefined]>([
    ['a response behind it', message(own, JSON_BODY + answer), at],
    ['a response after 100 Continue', message(own, `HTTP/1.1 100 Continue\r\n\r\n${JSON_BODY}${answer}`), at],
    ['curl -v', `> GET /x HTTP/1.1\n> Host: a\n>\n${answer.replaceAll(/^(?=.)/gm, '< ')}`, at],
    ['no response', message(own, JSON_BODY), undefined],
    ['a response without a date', message(own, JSON_BODY + RESPONSE), undefined],
  ])('is said by %s', (_, file, moment) => {
    expect(readRawHttp(Buffer.from(file)).at).toBe(moment);
  });

  it.each([
    ['--trace-ascii', ['0000: GET /x HTTP/1.1', '0011: Host: a', '001a: '], `0000: ${date}`],
    [
      '--trace',
      [
        '0000: 47 45 54 20 2f 78 20 48 54 54 50 2f 31 2e 31 0d GET /x HTTP/1.1.',
        '0010: 0a 0d 0a                                        ...',
      ],
      '0000: 44 61 74 65 3a 20 54 68 75 2c 20 31 34 20 4d 61 Date: Thu, 14 Ma\n' +
        '0010: 79 20 32 30 32 36 20 30 39 3a 33 30 3a 30 35 20 y 2026 09:30:05 \n' +
        '0020: 47 4d 54 0d 0a                                  GMT..',
    ],
  ])('is said by curl %s', (_, sent, shown) => {
    const isHex = sent.length === 2;
    const status = isHex ? '48 54 54 50 2f 31 2e 31 20 34 30 31 0d 0a       HTTP/1.1 401..' : 'HTTP/1.1 401';
    const lines = [
      `=> Send header, ${isHex ? 19 : 28} bytes (0x1)`,
      ...sent,
      '<= Recv header, 14 bytes (0xe)',
      `0000: ${status}`,
      '<= Recv header, 37 bytes (0x25)',
      shown,
    ];
    expect(readRawHttp(Buffer.from(lines.join('\n')))).toMatchObject({ target: '/x', at });
  });
});

describe('what is no request', () => {
  it.each([
    ['nothing', '', /empty/],
    ['blanks', ' \r\n', /empty/],
    ['a response', RESPONSE, /response/],
    ['JSON', '{"log":{}}', /--har/],
    ['a curl command', "curl -d token=geheim 'http://a'", /--trace/],
    ['a page', '<!doctype html>', /HTML/],
    ['a capture', '\n\r\r\n\x1c\0\0\0', /Wireshark/],
    ['a sentence', 'the secret is geheim', /POST/],
    ['half a head', 'POST /x HTTP/1.1\ngeheim', /Line 2/],
    ['half a head of HTTP/2', ':method: POST\n:path geheim', /HTTP\/2/],
    ['HTTP/2 without a path', ':method: POST\nx: geheim', /:path/],
  ])('%s', (_, file, words) => {
    const read = () => readRawHttp(Buffer.from(file, 'latin1'));
    expect(read).toThrow(UsageError);
    expect(read).toThrow(words);
    expect(read).not.toThrow(/geheim/);
  });
});

describe('a HAR file', () => {
  function harOf(request: object, more: object = {}): string {
    const usual = {
      method: 'POST',
      url: 'https://a.example/x%2Fy?token=a%20b#c',
      httpVersion: 'HTTP/1.1',
      headers: [],
    };
    return JSON.stringify({
      log: { version: '1.2', entries: [{ request: { ...usual, ...request }, ...more }] },
    });
  }
  const text = '{"name":"Åsa"}';

  it.each<[string, object, string | Buffer, RegExp | undefined]>([
    ['text', { postData: { mimeType: 'application/json', text }, bodySize: 15 }, text, undefined],
    [
      'base64',
      { postData: { mimeType: '', text: '/wD+', encoding: 'base64' } },
      Buffer.from([255, 0, 254]),
      undefined,
    ],
    ['no body', { postData: null, bodySize: -1 }, '', undefined],
    ['an empty body', { postData: { mimeType: '', text: '', params: [] }, bodySize: 0 }, '', undefined],
    [
      'the fields of a form',
      {
        postData: {
          mimeType: 'application/x-www-form-urlencoded',
          params: [{ name: 'token', value: 'a.b.c' }],
        },
      },
      'token=a.b.c',
      /written anew/,
    ],
    [
      'the fields of a multipart form',
      { postData: { mimeType: 'multipart/form-data', params: [] } },
      '',
      /missing/,
    ],
    ['another length', { postData: { mimeType: '', text }, bodySize: 20 }, text, /20 bytes .* holds 15/],
    ['bytes that are no text', { postData: { mimeType: '', text: 'a\ufffd' } }, 'a\ufffd', /lost/],
    ['a body that is left out', { bodySize: 9 }, '', /does not hold/],
  ])('with %s', (_, request, body, doubt) => {
    const [read] = readHar(harOf(request));
    expect(read?.body).toEqual(Buffer.from(body));
    expect(read?.doubts).toEqual(doubt && [expect.stringMatching(doubt)]);
  });

  it('has the head as it came, and the time', () => {
    const headers = [
      { name: ':authority', value: 'a.example' },
      { name: ':path', value: '/x' },
      { name: 'x-signature', value: 'ab' },
    ];
    const [read] = readHar(
      `\ufeff${harOf({ headers, httpVersion: 'h2' }, { startedDateTime: '2026-05-14T09:30:00.5Z' })}`,
    );
    expect(read).toEqual({
      method: 'POST',
      target: '/x%2Fy?token=a%20b',
      httpVersion: '1.1',
      headers: ['Host', 'a.example', 'x-signature', 'ab'],
      body: Buffer.alloc(0),
      at: Date.UTC(2026, 4, 14, 9, 30, 0, 500),
    });
  });

  it.each([
    ['no JSON', 'POST /x HTTP/1.1', /--file/],
    ['other JSON', '{"geheim":1}', /log: missing/],
    [
      'entries of another kind',
      '{"log":{"entries":[{"geheim":1},{}]}}',
      /^The file is JSON, but no HAR file: log\.entries\.0\.request: missing, expected object\.$/,
    ],
    ['no entries', '{"log":{"entries":[]}}', /no request/],
  ])('that is %s', (_, file, words) => {
    const read = () => readHar(file);
    expect(read).toThrow(UsageError);
    expect(read).toThrow(words);
    expect(read).not.toThrow(/geheim/);
  });
});
