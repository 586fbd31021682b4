import { SpanStatusCode, trace } from '@opentelemetry/api';
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  SimpleSpanProcessor,
  type ReadableSpan,
} from '@opentelemetry/sdk-trace-base';

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

/** Registers an SDK for this process, as an operator does, and gives what it is told. */
export function registerSdk(): () => readonly ToldSpan[] {
  const exporter = new InMemorySpanExporter();
  const spanProcessors = [new SimpleSpanProcessor(exporter)];
  trace.setGlobalTracerProvider(new BasicTracerProvider({ spanProcessors }));
  return () => toldOf(exporter.getFinishedSpans());
}

export function unregisterSdk(): void {
  trace.disable();
}

function toldOf(spans: readonly ReadableSpan[]): readonly ToldSpan[] {
  const byId = new Map(spans.map((span) => [span.spanContext().spanId, span.name]));
  return spans.map((span) => ({
    name: span.name,
    traceId: span.spanContext().traceId,
    parent: span.parentSpanContext && (byId.get(span.parentSpanContext.spanId) ?? 'unknown'),
    links: span.links.map(({ context: { traceId, spanId } }) => ({ traceId, spanId })),
    attributes: span.attributes,
    failed: span.status.code === SpanStatusCode.ERROR,
  }));
}
