import {
  endpointsOf,
  isOpen,
  upperSnake,
  variablePrefix,
  type Credential,
  type EndpointConfig,
} from '../endpoint/definition.ts';
import type { CertificateDemand } from '../proofs/client-certificate.ts';
import type { EndpointDefinition, Source } from '../source.ts';
import type { Reader } from './reader.ts';

/** Reads every endpoint of these sources: its own, and the further ones that are defined for them. */
export function readEndpoints(
  reader: Reader,
  sources: readonly Source[],
  further: readonly EndpointDefinition[],
): readonly EndpointConfig[] {
  const endpoints = sources.flatMap((source) =>
    [...endpointsOf(source), ...further.filter((endpoint) => endpoint.source === source.name)].map(
      (definition) => readEndpoint(reader, definition, source),
    ),
  );
  refuseDoubledEndpoints(reader, endpoints);
  refuseSharedSecrets(reader, endpoints);
  return endpoints;
}

function readEndpoint(reader: Reader, definition: EndpointDefinition, source: Source): EndpointConfig {
  const prefix = variablePrefix(definition);
  const settings = reader.settings(source.settings, [`${prefix}_`, `${upperSnake(source.name)}_`]);
  const credentials = new Map<string, Credential>();
  for (const [installation, variable] of installationsOf(reader, source, prefix)) {
    const credential = reader.credential(source, variable);
    const other = credentials.get(installation);
    if (credential && other) reader.complain(sameInstallation(other, credential));
    if (credential) credentials.set(installation, credential);
  }
  const unproven = !credentials.has('') && source.proof.without?.(settings) !== undefined;
  const certificate = readCertificateDemand(reader, prefix, source.clientCertificate?.(settings));
  if (unproven && certificate === undefined) {
    reader.warnings.push(
      `${definition.path} accepts deliveries without any proof, as set. Anybody who finds it can send to it.`,
    );
  }
  const config = { definition, source, settings, credentials, unproven, certificate };
  if (isOpen(config)) refuseWithoutMethod(reader, config);
  return config;
}

function refuseWithoutMethod(reader: Reader, { definition, source, settings }: EndpointConfig): void {
  if (source.methods(definition.type, settings).length > 0) return;
  reader.complain(
    `${variablePrefix(definition)}_METHODS leaves no method that is ever used for it: allow ` +
      `${source.methods(definition.type).join(' or ')}.`,
  );
}

/** What an endpoint demands of a client certificate, if anything. Half a demand would let in whom it should not. */
function readCertificateDemand(
  reader: Reader,
  prefix: string,
  demand: CertificateDemand | undefined,
): CertificateDemand | undefined {
  if (demand === undefined) return undefined;
  const setting = `${prefix}_CLIENT_CERTIFICATE`;
  const named = demand.subject !== '' || demand.fingerprints.length > 0;
  if (!demand.required) {
    if (named)
      reader.complain(
        `${setting} is off although a subject or fingerprint is set: set it to required, or neither.`,
      );
    return undefined;
  }
  if (!named) {
    reader.complain(
      `${setting} is required, but any certificate of the authority would do: set ${setting}_SUBJECT or ` +
        `${setting}_FINGERPRINT.`,
    );
  }
  if (!reader.isSet('TLS_CLIENT_CA')) {
    reader.complain(
      `${setting} is required, but TLS_CLIENT_CA_FILE is not set: the receiver would ask nobody for a certificate.`,
    );
  }
  return demand;
}

function sameInstallation(one: Credential, other: Credential): string {
  return `${one.variable} and ${other.variable} are for the same ?key=: give each installation a key of its own.`;
}

/** The installations that have a credential variable, each with that variable's beginning; the one without a key first. */
function installationsOf(
  reader: Reader,
  source: Source,
  prefix: string,
): [installation: string, variable: string][] {
  if (source.installations !== true) return [['', prefix]];
  const suffixes = Object.keys(source.proof.kinds).join('|');
  const pattern = new RegExp(`^${prefix}_(\\w+)_(?:${suffixes})(?:_FILE)?$`);
  const ofApi = Object.keys(source.api?.settings ?? {}).map((setting) => `_${setting}`);
  const names = new Set(
    reader
      .names()
      .filter((name) => !ofApi.some((ending) => name.replace(/_FILE$/, '').endsWith(ending)))
      .flatMap((name) => pattern.exec(name)?.[1] ?? []),
  );
  names.delete('API'); // what begins so is about the source's API
  return [
    ['', prefix],
    ...[...names].map((name): [string, string] => [
      reader.renewable(`${prefix}_${name}_KEY`) ?? name.toLowerCase().replaceAll('_', '-'),
      `${prefix}_${name}`,
    ]),
  ];
}

/** Of two endpoints with one path, or one variable for two secrets, only one would ever receive. */
function refuseDoubledEndpoints(reader: Reader, endpoints: readonly EndpointConfig[]): void {
  const paths = new Map<string, string>();
  for (const { definition } of endpoints) {
    const prefix = variablePrefix(definition);
    const other = paths.get(prefix);
    if (other === undefined) paths.set(prefix, definition.path);
    else
      reader.complain(
        `${other} and ${definition.path} would share the variable ${prefix}_SECRET: rename one.`,
      );
  }
}

/** One secret on two endpoints would let a delivery for one be replayed on the other, in whatever spelling it stands there. */
function refuseSharedSecrets(reader: Reader, endpoints: readonly EndpointConfig[]): void {
  const usedBy = new Map<string, string>();
  for (const endpoint of endpoints) {
    for (const credential of endpoint.credentials.values()) {
      const { variable } = credential;
      for (const secret of credential.texts) {
        const keys = keysOf(secret, credential, endpoint);
        const other = keys.map((key) => usedBy.get(key)).find((found) => found !== undefined);
        for (const key of keys) if (!usedBy.has(key)) usedBy.set(key, variable);
        if (other === variable) reader.complain(`${variable} holds the same secret twice.`);
        else if (other !== undefined)
          reader.complain(
            `${other} and ${variable} hold the same secret: a delivery for one could be replayed on the other. ` +
              'Agree a secret of its own for each endpoint.',
          );
      }
    }
  }
}

/** The bytes that a text stands for, in every encoding it is read in; always as it is written, too. */
function keysOf(text: string, { kind }: Credential, { source, settings }: EndpointConfig): string[] {
  const encodings = source.proof.kinds[kind]?.keyEncodings(settings) ?? [];
  const keys = ['utf8' as const, ...encodings].map((encoding) => Buffer.from(text, encoding).toString('hex'));
  return [...new Set(keys)];
}
