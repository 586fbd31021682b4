import { randomUuid } from '../../mock/random.ts';
import { UUID } from '../making/variants.ts';
import type { EndpointUnderTest, Rule, Trial } from '../rule.ts';
import { valuesOf } from '../reply.ts';
import { describe, failed, isAccepted, passed, tried } from '../trials.ts';

/** Group J, as far as replies tell of it: what genuine content is shown to somebody. */
export const downstreamRules: readonly Rule[] = [
  {
    id: 'J7-escaped',
    group: 'J',
    title: 'escapes what it shows of an event in a page',
    severity: 'high',
    grade: 'correct',
    level: 1,
    why: 'Names of documents and people are written by users. In a page they become script, which acts as whoever opened it.',
    fix: 'Build pages with a template engine that escapes by itself, and forbid scripts with a Content-Security-Policy.',
    source: 'https://cheatsheetseries.owasp.org/cheatsheets/Cross_Site_Scripting_Prevention_Cheat_Sheet.html',
    trials: (at) =>
      at.source.events[at.type]?.mode === 'reply'
        ? [
            shown('an element', '<script>alert(7)</script>'),
            shown('an image', '<img src=x onerror=alert(7)>'),
            // In a text, quotes do no harm.
            shown('the end of an attribute', '"onmouseover="alert(7)', { in: /=\s*"[^"<>]*"onmouseover=/ }),
            shown('the end of an attribute in single quotes', "'onmouseover='alert(7)", {
              in: /=\s*'[^'<>]*'onmouseover=/,
            }),
            shown('an element behind an id', '<script>alert(7)</script>', { behind: 'ids' }),
            shown('an attribute behind an id', '"onmouseover="alert(7)', {
              behind: 'ids',
              in: /=\s*"[^"<>]*"onmouseover=/,
            }),
          ]
        : [],
  },
];

interface Showing {
  /** What it must stand in to do harm; anywhere unless given. */
  readonly in?: RegExp;
  /** Who puts a page together escapes names, and may think that ids cannot be anything else. */
  readonly behind?: 'names' | 'ids';
}

function shown(name: string, markup: string, { in: harm, behind = 'names' }: Showing = {}): Trial {
  const expected = 'no page that has it as markup';
  return tried(name, async (stage) => {
    const request = await stage.genuine({
      payload: withMarkup(stage.endpoint, markup, behind),
      ...(behind === 'ids' ? { id: `${randomUuid(stage.random)}${markup}` } : {}),
    });
    const observation = await stage.send(request, 'with markup in its texts');
    const [type = ''] = valuesOf(observation, 'content-type');
    const isPage = /html|^$/.test(type);
    const observed = `${describe(observation)}${isPage ? ' with a page' : ''}`;
    const page = observation.body.toString();
    if (isAccepted(observation) && isPage && (harm?.test(page) ?? page.includes(markup))) {
      return failed(expected, `${observed}, and the markup in it`);
    }
    return passed(expected, observed);
  });
}

/** The usual payload, its ids or all other texts followed by markup. */
function withMarkup({ source, type }: EndpointUnderTest, markup: string, behind: 'names' | 'ids'): unknown {
  return JSON.parse(JSON.stringify(source.events[type]?.example ?? {}), (_name, value: unknown) =>
    typeof value === 'string' && UUID.test(value) === (behind === 'ids') ? `${value}${markup}` : value,
  ) as unknown;
}
