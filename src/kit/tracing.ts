import { headerValues } from './delivery.ts';
import type { Endpoint } from './endpoint/endpoint.ts';
import type { Entry, Inbox } from './inbox/inbox.ts';

/**
 * Spans of OpenTelemetry for what is done with a delivery: `receive`, in it `store`, and `handle`, whenever that is. What an
 * entry keeps of it, `trace`, is the span that received it.
 */
export interface Tracing {
  /** Begins a trace of our own. One that the sender names is linked: it is not proven when this begins, and may be anybody's. */
  receive(request: string, endpoint: Endpoint, headers: readonly string[]): Receiving;
  /** Stores through it are told. */
  inbox(inbox: Inbox): Inbox;
  /**
   * Tells of a handler, which it calls. Its span continues that of the delivery; of a further attempt, which may be days later,
   * it is one of its own, with a link.
   */
  handle<Result>(entry: Entry, work: () => Promise<Result>): Promise<Result>;
}

export interface Receiving {
  /** As `traceparent` writes it. */
  readonly trace: string | undefined;
  /** With the outcome, or the code of its refusal. */
  end(outcome: string): void;
}

/** What is used of the package `@opentelemetry/api`, 1.x. It is no dependency: who wants traces brings it with an SDK. */
interface Api {
  readonly ROOT_CONTEXT: Context;
  readonly context: { with<Result>(context: Context, work: () => Result): Result };
  readonly trace: {
    getTracer(name: string): {
      startSpan(name: string, options: SpanOptions, context: Context): Span;
    };
    setSpan(context: Context, span: Span): Context;
    setSpanContext(context: Context, span: SpanContext): Context;
  };
}
type Context = object;
interface SpanContext {
  readonly traceId: string;
  readonly spanId: string;
  readonly traceFlags: number;
}
interface SpanOptions {
  readonly kind: number;
  readonly attributes?: Readonly<Record<string, string | number | undefined>>;
  readonly links?: readonly { readonly context: SpanContext }[];
}
interface Span {
  spanContext(): SpanContext;
  setAttribute(name: string, value: string): void;
  setStatus(status: { readonly code: number }): void;
  end(): void;
}

/** As the package numbers them. */
const KIND = { internal: 0, server: 1, consumer: 4 };
const FAILED = { code: 2 };

/** Where an SDK that is registered leaves its parts. */
const REGISTERED = Symbol.for('opentelemetry.js.api.1');
/** Not as a literal: the compiler would ask for the package. */
const PACKAGE = ['@opentelemetry', 'api'].join('/');

/** `undefined`, with nothing loaded, unless an SDK was registered before: with `--import` of a file that does so. */
export async function loadTracing(): Promise<Tracing | undefined> {
  const registered = (globalThis as { readonly [REGISTERED]?: { readonly trace?: unknown } })[REGISTERED];
  if (registered?.trace === undefined) return undefined;
  return createTracing((await import(PACKAGE)) as Api); // as its documentation of 1.x says
}

function createTracing({ trace, context, ROOT_CONTEXT }: Api): Tracing {
  const tracer = trace.getTracer('advance-receiver-kit');

  function within(parent: string | undefined): Context {
    const span = spanOf(parent);
    return span === undefined ? ROOT_CONTEXT : trace.setSpanContext(ROOT_CONTEXT, span);
  }

  async function told<Result>(span: Span, work: () => Promise<Result>): Promise<Result> {
    try {
      return await work();
    } catch (error) {
      span.setStatus(FAILED);
      throw error;
    } finally {
      span.end();
    }
  }

  return {
    receive(request, { source, definition }, headers) {
      const [given, ...further] = headerValues({ headers }, 'traceparent');
      const attributes = {
        'advance.request': request,
        'advance.source': source.name,
        'http.route': definition.path,
      };
      const links = further.length === 0 ? linksTo(given) : [];
      const span = tracer.startSpan('receive', { kind: KIND.server, attributes, links }, ROOT_CONTEXT);
      return {
        trace: textOf(span.spanContext()),
        end(outcome) {
          span.setAttribute('advance.outcome', outcome);
          span.end();
        },
      };
    },
    inbox: (inbox) => ({
      ...inbox,
      store(entry, options) {
        const span = tracer.startSpan('store', { kind: KIND.internal }, within(entry.trace));
        return told(span, () => inbox.store(entry, options));
      },
    }),
    handle({ seq, source, type, claims, request, trace: kept }, work) {
      const attributes = {
        'advance.request': request,
        'advance.source': source,
        'advance.event': type,
        'advance.seq': seq,
        'advance.attempt': claims,
      };
      const [parent, links] = claims === 1 ? [within(kept), []] : [ROOT_CONTEXT, linksTo(kept)];
      const span = tracer.startSpan('handle', { kind: KIND.consumer, attributes, links }, parent);
      return context.with(trace.setSpan(parent, span), () => told(span, work));
    },
  };
}

const NONE = /^0+$/;

/** https://www.w3.org/TR/trace-context/#traceparent-header */
function spanOf(text = ''): SpanContext | undefined {
  const [, traceId, spanId, flags] = /^00-([\da-f]{32})-([\da-f]{16})-([\da-f]{2})$/.exec(text) ?? [];
  if (traceId === undefined || spanId === undefined || NONE.test(traceId) || NONE.test(spanId))
    return undefined;
  return { traceId, spanId, traceFlags: Number.parseInt(flags ?? '', 16) & 1 };
}

function textOf({ traceId, spanId, traceFlags }: SpanContext): string | undefined {
  const text = `00-${traceId}-${spanId}-${traceFlags.toString(16).padStart(2, '0')}`;
  return spanOf(text) && text;
}

function linksTo(text: string | undefined): { readonly context: SpanContext }[] {
  const context = spanOf(text);
  return context === undefined ? [] : [{ context }];
}
