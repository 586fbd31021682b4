import type { Endpoint } from '../endpoint/endpoint.ts';
import { isShown, type ShownFact } from '../facts/fact.ts';
import { findingsOf } from '../facts/findings.ts';
import { seenIn, variantsIn } from '../facts/observer.ts';
import type { Entry } from '../inbox/inbox.ts';
import { html, type Html } from '../reading/html.ts';
import { prove } from '../receiver/receive.ts';
import { queryOf } from '../tape/raw.ts';
import type { Kept } from '../tape/tape.ts';
import type { ConsoleParts } from './console.ts';

interface Shown {
  readonly fact: Pick<ShownFact, 'id' | 'what' | 'assumed'>;
  readonly variants: readonly string[];
}

/** The assumptions that a delivery settles: it alone, where the tape has it; else all that came to its endpoint. */
export async function factsShownBy(parts: ConsoleParts, entry: Entry, kept: Kept | undefined): Promise<Html> {
  const endpoint = parts.endpoints.find(({ definition }) => definition.path === entry.endpoint);
  if (endpoint === undefined) return html``;
  const own = kept && (await shownBy(endpoint, kept));
  const shown = own ?? (await shownAt(parts, endpoint));
  if (shown.length === 0) return html`<p>No fact about it has been seen yet.</p>`;
  const words =
    own === undefined ? 'What deliveries to this endpoint have shown so far:' : 'What this one shows:';
  return html`<p>${words}</p>
    <ul class="facts">
      ${shown.map(shownHtml)}
    </ul>`;
}

function shownHtml({ fact: { id, what, assumed }, variants }: Shown): Html {
  const differs = assumed.length > 0 && !variants.every((variant) => assumed.includes(variant));
  const chip =
    assumed.length === 0
      ? html``
      : html`<span class="chip ${differs ? 'warn' : 'good'}">${differs ? 'differs' : 'as assumed'}</span>`;
  return html`<li><b>${id}</b> ${what}: <code>${variants.join(', ')}</code> ${chip}</li>`;
}

/** It is proven once more, by the secrets of today: with none of them nothing is said of it. */
async function shownBy(endpoint: Endpoint, kept: Kept): Promise<readonly Shown[] | undefined> {
  const { method, target, headers, body, at } = kept;
  const delivery = { method, query: queryOf(target), headers, body, receivedAt: at };
  try {
    const { entry, proven } = await prove(delivery, endpoint);
    const outcome = kept.outcome === 'duplicate' ? 'duplicate' : 'accepted';
    const seen = seenIn({ delivery, target, endpoint, received: { entry, proven, outcome } });
    const facts = (endpoint.source.facts ?? []).filter(isShown);
    return facts
      .map((fact) => ({ fact, variants: variantsIn(fact, seen) }))
      .filter(({ variants }) => variants.length > 0);
  } catch {
    return undefined;
  }
}

async function shownAt(
  { counts }: ConsoleParts,
  { source, definition }: Endpoint,
): Promise<readonly Shown[]> {
  const own = (await counts()).filter(({ endpoint }) => endpoint === definition.path);
  return findingsOf(source, own)
    .map(({ fact, seen }) => ({ fact, variants: seen.map(({ variant }) => variant) }))
    .filter(({ variants }) => variants.length > 0);
}
