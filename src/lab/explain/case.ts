import { pathOf, pathsOf } from '../../kit/http/router.ts';
import { variablePrefix, type Credential, type EndpointConfig } from '../../kit/endpoint/definition.ts';
import type { Proof } from '../../kit/proofs/proof.ts';
import type { Settings } from '../../kit/source.ts';
import type { TapedOutcome } from '../../kit/tape/tape.ts';
import { pairsOf, queryOf } from '../../kit/tape/raw.ts';
import type { RawRequest } from '../raw-request.ts';

/** A delivery as it came or as a hypothesis would have it, and what it would be judged by. */
export interface Case {
  readonly request: RawRequest;
  /** When it came, by our clock (ms since 1970). */
  readonly at: number;
  /** In place of what the endpoint is set to. */
  readonly settings?: Settings;
  /** In place of the kind of credential that the endpoint has. */
  readonly kind?: string;
  /** In place of the endpoint's live secrets. */
  readonly key?: Key;
  readonly known: Known;
}

/** A secret that another side may have: a text, or bytes that no text here stands for. */
export type Key = { readonly text: string } | { readonly bytes: Buffer };

/** What is known here besides the delivery itself. */
export interface Known {
  readonly endpoints: readonly EndpointConfig[];
  /** Secrets that are no endpoint's, as those of --secrets, and what each is called. */
  readonly further: readonly Further[];
  /** What the receiver made of it when it came, where that is known. */
  readonly outcome?: TapedOutcome | undefined;
  readonly why?: string | undefined;
}

export interface Further {
  readonly name: string;
  readonly text: string;
}

/** What a hypothesis changes, and what about it is worth saying: never anything secret. */
export interface Change extends Partial<Omit<Case, 'known'>> {
  readonly detail?: string;
  /** In place of that of the hypothesis. */
  readonly remedy?: string;
}

export type Family = 'secret' | 'body' | 'signature' | 'token' | 'time' | 'endpoint' | 'setting';

/** H: a signature in a header. J: a token in form, query or header. W: a token as the whole body. T: an access token. */
export type ProofKind = 'H' | 'J' | 'W' | 'T';

/** One thing that may be wrong. `means` and `remedy` may hold {secret}, {endpoint}, {path}, {docs} and {detail}. */
export interface Hypothesis {
  readonly id: string;
  readonly family: Family;
  /** The proofs it makes sense with: their kinds, one behind the other. */
  readonly applies: string;
  /** Of a change: the rest of "It would verify if …". Of what is only named: a sentence. */
  readonly means: string;
  readonly remedy: string;
  /** Ids of what the same delivery can mean as well; one of two says it. Of several settings, `setting:NAME`. */
  readonly twins?: readonly string[];
  /** The changes that would undo it; those that change nothing are passed over. */
  variants?(of: Case): Iterable<Change>;
  /** For what cannot or must not be undone, and is only named: the details of it, where it is seen. */
  sees?(of: Case): Iterable<string>;
}

/** A hypothesis in the table of its family; by default it makes sense with every proof. */
export type Row = Omit<Hypothesis, 'family' | 'applies'> & { readonly applies?: string };

/** What a delivery is judged by, as far as it can be told before it is. */
export interface View {
  readonly path: string;
  /** Without the question mark. */
  readonly query: string;
  readonly config: EndpointConfig | undefined;
  readonly settings: Settings;
  /** What `?key=` names; empty where it names nothing. */
  readonly installation: string;
  /** The texts that are tried: the live secrets, or the one that a hypothesis puts in their place. */
  readonly texts: readonly string[];
  readonly kind: string | undefined;
  readonly proof: Proof | undefined;
  readonly proofKind: ProofKind | undefined;
}

const views = new WeakMap<Case, View>();

export function viewOf(of: Case): View {
  const known = views.get(of) ?? look(of);
  views.set(of, known);
  return known;
}

function look(of: Case): View {
  const path = pathOf(of.request.target);
  const query = queryOf(of.request.target);
  const config = configAt(path, of.known.endpoints);
  const settings = of.settings ?? config?.settings ?? {};
  const installation = config?.source.installations === true ? installationIn(query) : '';
  const credential = config?.credentials.get(installation);
  const kind = of.kind ?? credential?.kind ?? (config && kindOf(config));
  const proof = kind === undefined ? undefined : config?.source.proof.kinds[kind]?.proof(settings);
  return {
    path,
    query,
    config,
    settings,
    installation,
    texts: textsOf(of.key, credential),
    kind,
    proof,
    proofKind: proof && proofKindOf(proof),
  };
}

function configAt(path: string, endpoints: readonly EndpointConfig[]): EndpointConfig | undefined {
  return endpoints.find((endpoint) => pathsOf(endpoint).includes(path));
}

/** Of a closed endpoint, the kind that its variable would most likely have. */
function kindOf({ credentials, source }: EndpointConfig): string | undefined {
  return [...credentials.values()][0]?.kind ?? Object.keys(source.proof.kinds)[0];
}

function textsOf(key: Key | undefined, credential: Credential | undefined): readonly string[] {
  if (key === undefined) return credential?.texts.filter((text) => text !== '') ?? [];
  return 'text' in key ? [key.text] : [];
}

function installationIn(query: string): string {
  const written = /(?:^|&)key=([^&]*)/.exec(query)?.[1] ?? '';
  return decoded(written) ?? '';
}

/** Percent-decoded; `undefined` where that cannot be done. */
export function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

const ENTITIES: ReadonlyMap<string, string> = new Map(
  Object.entries({
    ...{ amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" },
    ...{ '#34': '"', '#39': "'", '#x27': "'", '#x2F': '/' },
  }),
);

/** With the signs that HTML escapes stand for. */
export function unescapedHtml(text: string): string {
  return text.replace(/&([a-z]+|#\w+);/g, (escape, name: string) => ENTITIES.get(name) ?? escape);
}

/** By what its proof calls itself; any other is taken for one that signs the body. */
function proofKindOf({ scheme }: Proof): ProofKind {
  if (scheme.startsWith('jwt')) return 'J';
  if (scheme.startsWith('jws')) return 'W';
  return scheme.startsWith('access-token') ? 'T' : 'H';
}

/** The variable of the secrets that a delivery is judged by. */
export function variableOf(of: Case): string {
  const { config, kind, installation } = viewOf(of);
  if (config === undefined) return 'the secret';
  return (
    config.credentials.get(installation)?.variable ??
    `${variablePrefix(config.definition)}_${kind ?? 'SECRET'}`
  );
}

/** Every secret that is known here, by what it is called. */
export function secretsIn({ endpoints, further }: Known): readonly Further[] {
  const own = endpoints.flatMap(({ credentials }) =>
    [...credentials.values()].flatMap(({ variable, texts }) =>
      texts.map((text) => ({ name: variable, text })),
    ),
  );
  return [...own, ...further].filter(({ text }) => text !== '');
}

// Changes of a request

/** The same request with other values for some headers, `undefined` for none; names in lower case. */
export function withHeader(request: RawRequest, name: string, value: string | undefined): RawRequest {
  const kept = pairsOf(request).filter(([candidate]) => candidate.toLowerCase() !== name);
  const all = value === undefined ? kept : [...kept, [name, value] as const];
  return { ...request, headers: all.flat() };
}

export function withBody(of: Case, body: Buffer | string, detail?: string): Change {
  return { request: { ...of.request, body: Buffer.from(body) }, ...(detail !== undefined && { detail }) };
}

export function withTarget(of: Case, target: string, detail?: string): Change {
  return { request: { ...of.request, target }, ...(detail !== undefined && { detail }) };
}
