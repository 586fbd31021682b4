/** What a token says, in its header and in its payload: read, though nobody has verified it. */
export function contentsOf(token: string): readonly [header: Buffer, payload: Buffer] {
  const [header = '', payload = ''] = token.split('.');
  return [Buffer.from(header, 'base64url'), Buffer.from(payload, 'base64url')];
}
