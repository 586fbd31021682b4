import { switchesOf } from '../mock/request.ts';
import type { Settings, Source, Switches } from '../../kit/source.ts';
import type { EndpointUnderTest } from './rule.ts';

/** What must be told of an endpoint; the rest comes from its source. */
export interface EndpointOptions {
  readonly source: Source;
  readonly type: string;
  readonly url: URL;
  readonly credential: EndpointUnderTest['credential'];
  /** `hotdocs/InterviewLoadEvent`, unless there are several of them. */
  readonly name?: string;
  readonly switches?: Switches;
  readonly accepts?: readonly string[];
  readonly maxBodyBytes?: number;
}

/** @throws UsageError if the source has no such switch or choice */
export function createEndpoint(options: EndpointOptions): EndpointUnderTest {
  const { source, type, url, credential, switches = {}, accepts = [] } = options;
  return {
    name: options.name ?? (source.endpointPer === 'source' ? source.name : `${source.name}/${type}`),
    source,
    type,
    url,
    credential,
    switches,
    accepts: new Set(accepts),
    maxBodyBytes: options.maxBodyBytes ?? source.limits(defaultsOf(source)).maxBodyBytes,
    deadlineMs: patienceOf(source, switches),
  };
}

/** How deliveries to an endpoint prove themselves, which decides the rules that apply to it. */
export type ProofKind = 'token' | 'signature header' | 'access token';

export function proofKindOf({ source, credential }: EndpointUnderTest): ProofKind {
  const scheme = schemeOf(source, credential.kind);
  if (scheme === JWT || scheme === JWS) return 'token';
  return scheme === 'access-token' ? 'access token' : 'signature header';
}

/** Whether the whole body is the token, and nothing else may be. */
export function isTokenBody({ source, credential }: EndpointUnderTest): boolean {
  return schemeOf(source, credential.kind) === JWS;
}

const JWT = 'jwt-hs256';
const JWS = 'jws-hs256';

function schemeOf(source: Source, kind: string): string | undefined {
  return source.proof.kinds[kind]?.proof(defaultsOf(source)).scheme;
}

const USUAL_PATIENCE_MS = 10_000;

/** Each data sheet has one switch for the time that its sender waits: `timeoutMs`, `connectionTimeoutMs`. */
function patienceOf(source: Source, chosen: Switches): number {
  const [patience] = Object.entries(switchesOf(source, chosen)).filter(([name]) => /timeoutMs$/i.test(name));
  return Number(patience?.[1] ?? USUAL_PATIENCE_MS);
}

/** The settings of a receiver on which nothing is set. */
export function defaultsOf(source: Source): Settings {
  const values = Object.entries(source.settings).map(([name, definition]): [string, unknown] => [
    name,
    definition.schema.parse(definition.default),
  ]);
  return Object.fromEntries(values);
}
