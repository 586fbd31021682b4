/** A span that has ended, as far as tests look at it. */
export interface ToldSpan {
  readonly name: string;
  readonly traceId: string;
  /** The name of the span that it is within. */
  readonly parent: string | undefined;
  readonly links: readonly { readonly traceId: string; readonly spanId: string }[];
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly failed: boolean;
}

interface Sdk {
  /** Registers it for this process, and gives what it is told. */
  register(): () => readonly ToldSpan[];
  unregister(): void;
}

interface SpanId {
  readonly traceId: string;
  readonly spanId: string;
}

/** What is used of a span of @opentelemetry/sdk-trace-base 2.x. */
interface ReadableSpan {
  readonly name: string;
  spanContext(): SpanId;
  readonly parentSpanContext?: SpanId;
  readonly links: readonly { readonly context: SpanId }[];
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly status: { readonly code: number };
}

interface Packages {
  readonly api: { readonly trace: { setGlobalTracerProvider(provider: unknown): void; disable(): void } };
  readonly base: {
    readonly InMemorySpanExporter: new () => { getFinishedSpans(): readonly ReadableSpan[] };
    readonly SimpleSpanProcessor: new (exporter: unknown) => unknown;
    readonly BasicTracerProvider: new (options: { readonly spanProcessors: readonly unknown[] }) => unknown;
  };
}

const NAMES = ['@opentelemetry/api', '@opentelemetry/sdk-trace-base'];

/** The SDK of OpenTelemetry; `undefined`, and said, where it is not installed. */
export async function requireOpenTelemetry(): Promise<Sdk | undefined> {
  try {
    const [api, base] = (await Promise.all(NAMES.map((name) => import(name)))) as unknown[];
    return sdkOf({ api, base } as Packages); // as their documentation says
  } catch {
    process.stderr.write(`SKIPPED: ${NAMES.join(' and ')} are not installed, so spans are not looked at.\n`);
    return undefined;
  }
}

function sdkOf({ api, base }: Packages): Sdk {
  return {
    register() {
      const exporter = new base.InMemorySpanExporter();
      const spanProcessors = [new base.SimpleSpanProcessor(exporter)];
      api.trace.setGlobalTracerProvider(new base.BasicTracerProvider({ spanProcessors }));
      return () => toldOf(exporter.getFinishedSpans());
    },
    unregister: () => {
      api.trace.disable();
    },
  };
}

function toldOf(spans: readonly ReadableSpan[]): readonly ToldSpan[] {
  const byId = new Map(spans.map((span) => [span.spanContext().spanId, span.name]));
  return spans.map((span) => ({
    name: span.name,
    traceId: span.spanContext().traceId,
    parent: span.parentSpanContext && (byId.get(span.parentSpanContext.spanId) ?? 'unknown'),
    links: span.links.map(({ context: { traceId, spanId } }) => ({ traceId, spanId })),
    attributes: span.attributes,
    failed: span.status.code === 2,
  }));
}
