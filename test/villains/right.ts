import { answer, read } from './content.ts';
import { checkKey, finish, http, readBody, refuse, route } from './http.ts';
import { store } from './journal.ts';
import type { Parts } from './parts.ts';
import * as proof from './proof.ts';

/** A correct receiver of all three sources on nothing but node:http and node:crypto. */
export const right: Parts = {
  http,
  mostWaiting: 16,
  prepare: () => undefined,
  route,
  checkKey,
  readBody,
  prove: proof.prove,
  findToken: proof.findToken,
  verifyToken: proof.verifyToken,
  readTokenHeader: proof.readTokenHeader,
  checkTokenHeader: proof.checkTokenHeader,
  decodePart: proof.decodePart,
  checkClaims: proof.checkClaims,
  decodeSignature: proof.decodeSignature,
  verifySignature: proof.verifySignature,
  verifyAccessToken: proof.verifyAccessToken,
  read,
  store,
  answer,
  refuse,
  finish,
};
