import { messageOf } from '../errors.ts';
import type { CertificateDemand } from '../proofs/client-certificate.ts';
import { importSecret, type Secret } from '../proofs/secrets.ts';
import type { Catalogue, EndpointDefinition, Settings, Source } from '../source.ts';

/** An endpoint as the operator configured it. */
export interface EndpointConfig {
  readonly definition: EndpointDefinition;
  readonly source: Source;
  readonly settings: Settings;
  /** By installation, `''` being the one without `?key=`. Empty: the endpoint is closed. */
  readonly credentials: ReadonlyMap<string, Credential>;
  /** The endpoint accepts without a credential, because an operator chose so in words. */
  readonly unproven: boolean;
  /** The client certificate that every delivery must come with, besides any other proof. */
  readonly certificate: CertificateDemand | undefined;
}

/** The live secrets of one endpoint or installation. */
export interface Credential {
  readonly kind: string;
  /** Where it was read from, for messages. */
  readonly variable: string;
  /** Newest first. */
  readonly texts: readonly string[];
}

/** The endpoints a source has by itself, in the order of its catalogue. */
export function endpointsOf(source: Source): EndpointDefinition[] {
  if (source.endpointPer === 'source') {
    return [{ source: source.name, type: undefined, path: `/${source.name}` }];
  }
  return Object.keys(source.events).map((type) => endpoint(`/${source.name}/${type}`, source, type));
}

/**
 * A further endpoint: a second webhook of one event type, or, with an `installation`, a second tenant. Its secret is named
 * after its path. What comes to it is kept apart from what other installations send.
 */
export function endpoint<Events extends Catalogue>(
  path: `/${string}`,
  source: Source<Events>,
  type: keyof Events & string,
  { installation }: Pick<EndpointDefinition, 'installation'> = {},
): EndpointDefinition {
  return { source: source.name, type, path, installation };
}

/** What an endpoint's variables begin with: `/hotdocs/InterviewLoadEvent` gives `HOTDOCS_INTERVIEW_LOAD_EVENT`. */
export function variablePrefix(endpoint: EndpointDefinition): string {
  return endpoint.path.split('/').filter(Boolean).map(upperSnake).join('_');
}

/** `InterviewLoadEvent`, `user_registered` and `site-north` in the spelling of environment variables. */
export function upperSnake(name: string): string {
  return name
    .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
    .replace(/[^A-Za-z0-9]+/g, '_')
    .toUpperCase();
}

/** Whether deliveries can arrive at it at all. */
export function isOpen(endpoint: EndpointConfig): boolean {
  return endpoint.credentials.size > 0 || endpoint.unproven;
}

/** The keys of a credential, imported once. Each text gives one key per encoding the endpoint allows. */
export async function importCredential(credential: Credential, endpoint: EndpointConfig): Promise<Secret[]> {
  const encodings = endpoint.source.proof.kinds[credential.kind]?.keyEncodings(endpoint.settings) ?? [];
  const imports = credential.texts.flatMap((secret, index) =>
    encodings.map((encoding) => importSecret(secret, index + 1, encoding)),
  );
  try {
    return await Promise.all(imports);
  } catch (error) {
    throw new Error(`${credential.variable}: ${messageOf(error)}`, { cause: error });
  }
}

/** The variable that opens an endpoint: `HOTDOCS_INTERVIEW_LOAD_EVENT_SECRET`. */
export function credentialVariable({
  definition,
  source,
}: Pick<EndpointConfig, 'definition' | 'source'>): string {
  return `${variablePrefix(definition)}_${Object.keys(source.proof.kinds)[0] ?? 'SECRET'}`;
}
