import { html, type Html } from '../reading/html.ts';

const [WIDTH, HEIGHT, GAP] = [240, 48, 1];

/** Small bars, oldest first; what they say stands beside them in words, too. */
export function barsHtml(title: string, values: readonly number[], tone: string): Html {
  const most = Math.max(1, ...values);
  const width = WIDTH / Math.max(1, values.length);
  const bars = values.map((value, index) => {
    const height = Math.round((value / most) * HEIGHT * 10) / 10;
    return html`<rect
      x="${index * width}"
      y="${HEIGHT - height}"
      width="${width - GAP}"
      height="${height}"
    />`;
  });
  const words = `at most ${Math.max(0, ...values)}, now ${values.at(-1) ?? 0}`;
  return html`<figure>
    <figcaption>${title}: ${words}</figcaption>
    <svg
      class="bars ${tone}"
      viewBox="0 0 ${WIDTH} ${HEIGHT}"
      role="img"
      aria-label="${title}: ${words}"
      preserveAspectRatio="none"
    >
      ${bars}
    </svg>
  </figure>`;
}
