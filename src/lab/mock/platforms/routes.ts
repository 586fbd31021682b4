import { ApiRefusal, type PlatformReply, type PlatformRequest } from './platform.ts';

export interface Route {
  readonly methods: readonly string[];
  readonly segments: readonly string[];
  answer(parameters: Readonly<Record<string, string>>, request: PlatformRequest): Awaitable<PlatformReply>;
}

type Awaitable<Value> = Value | Promise<Value>;

type NameIn<Pattern extends string> = Pattern extends `${infer Head}/${infer Tail}`
  ? NameIn<Head> | NameIn<Tail>
  : Pattern extends `:${infer Name}`
    ? Name
    : never;

/** `route('GET PUT', 'users/:id', ({ id }, request) => …)`: a parameter is one whole segment. */
export function route<const Pattern extends string>(
  methods: string,
  pattern: Pattern,
  answer: (
    parameters: Readonly<Record<NameIn<Pattern>, string>>,
    request: PlatformRequest,
  ) => Awaitable<PlatformReply>,
): Route {
  const segments = pattern.split('/').filter((segment) => segment !== '');
  return { methods: methods.split(' '), segments, answer };
}

/** The addresses of routes below an address: `GET PUT /risr/users/:id`. */
export function addressesOf(below: string, routes: readonly Route[]): string[] {
  return routes.map(({ methods, segments }) => `${methods.join(' ')} ${[below, ...segments].join('/')}`);
}

/**
 * Answers by the first route that fits; letter case does not matter but in parameters.
 * @throws ApiRefusal 404, or 405 with `Allow`
 */
export async function dispatch(routes: readonly Route[], request: PlatformRequest): Promise<PlatformReply> {
  const allowed = new Set<string>();
  for (const candidate of routes) {
    const parameters = parametersOf(candidate.segments, request.path);
    if (parameters && candidate.methods.includes(request.method))
      return candidate.answer(parameters, request);
    if (parameters) for (const method of candidate.methods) allowed.add(method);
  }
  if (allowed.size === 0) throw new ApiRefusal(404, 'There is nothing at this address.');
  throw new ApiRefusal(405, `${request.method} is not for this address.`, { Allow: [...allowed].join(', ') });
}

function parametersOf(
  segments: readonly string[],
  path: readonly string[],
): Readonly<Record<string, string>> | undefined {
  if (segments.length !== path.length) return undefined;
  const pairs = segments.map((segment, index) => [segment, path[index] ?? ''] as const);
  const fits = pairs.every(([segment, given]) => segment.startsWith(':') || isSame(segment, given));
  if (!fits) return undefined;
  return Object.fromEntries(
    pairs.flatMap(([segment, given]) => (segment.startsWith(':') ? [[segment.slice(1), given]] : [])),
  );
}

function isSame(one: string, other: string): boolean {
  return one.toLowerCase() === other.toLowerCase();
}
