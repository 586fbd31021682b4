import { tlsProblems, tlsWarning, type TlsIdentity } from '../http/tls.ts';
import type { Reader } from './reader.ts';
import type { GeneralSettings } from './variables.ts';

/** What the receiver speaks HTTPS with; `undefined` where nothing of it is set. */
export function readTls(reader: Reader, general: GeneralSettings): TlsIdentity | undefined {
  const given = (name: keyof typeof general & `TLS_${string}`) =>
    reader.isSet(name) ? general[name] : undefined;
  const cert = given('TLS_CERT');
  const key = given('TLS_KEY');
  const clientAuthorities = given('TLS_CLIENT_CA');
  const revocations = given('TLS_CLIENT_CRL');
  if ([cert, key, clientAuthorities, revocations].every((text) => text === undefined)) return undefined;
  if (cert === undefined || key === undefined) {
    reader.complain('TLS is set up in part: set TLS_CERT_FILE and TLS_KEY_FILE, or nothing of it.');
    return undefined;
  }
  if (revocations !== undefined && clientAuthorities === undefined)
    reader.complain(
      'TLS_CLIENT_CRL_FILE is set without TLS_CLIENT_CA_FILE: nobody is asked for a certificate.',
    );
  const identity = { cert, key, clientAuthorities, revocations };
  for (const problem of tlsProblems(identity, (name) => reader.nameOf(name))) reader.complain(problem);
  const warning = tlsWarning(identity, Date.now());
  if (warning !== undefined) reader.warnings.push(warning);
  return identity;
}
