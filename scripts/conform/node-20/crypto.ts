import * as crypto from 'node:crypto';

export * from 'node:crypto';

type Hash = (algorithm: string, data: string | Uint8Array, encoding?: BufferEncoding) => string;

const since20_12: { hash?: Hash } = crypto;

export const hash: Hash =
  since20_12.hash ??
  ((algorithm, data, encoding = 'hex') => crypto.createHash(algorithm).update(data).digest(encoding));
