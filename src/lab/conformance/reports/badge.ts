import type { RunEnded, Verdict } from '../result.ts';
import { markup } from './escape.ts';
import type { Report } from './report.ts';

/** A picture of the grade reached, for a README. */
export function badgeReport(): Report {
  return (event) => (event.event === 'ended' ? picture(wordsFor(event), COLOURS[event.verdict]) : '');
}

const COLOURS: Readonly<Record<Verdict, string>> = {
  conformant: '#1b6e3c',
  'not conformant': '#b3261e',
  unreachable: '#5c5c66',
  inconclusive: '#8a5a00',
  interrupted: '#5c5c66',
  broken: '#5c5c66',
};

/** The highest grade has all before it; one that was not examined is not claimed. */
function wordsFor({ verdict, reached }: RunEnded): string {
  const highest = reached.at(-1);
  if (verdict === 'conformant') return highest ?? verdict;
  return verdict === 'not conformant' && highest !== undefined ? `${highest} only` : verdict;
}

const LABEL = 'webhook receiver';
const CHARACTER = 6.6;
const HEIGHT = 20;

function picture(words: string, colour: string): string {
  const [left, right] = [LABEL, words].map((text) => Math.round(text.length * CHARACTER) + 12);
  const [labelWidth, wordsWidth] = [left ?? 0, right ?? 0];
  const width = labelWidth + wordsWidth;
  const title = markup(`${LABEL}: ${words}`);
  const text = (shown: string, from: number, space: number) =>
    `<text x="${from + space / 2}" y="14" textLength="${space - 12}">${markup(shown)}</text>`;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${HEIGHT}" role="img" aria-label="${title}">`,
    `<title>${title}</title>`,
    `<rect width="${labelWidth}" height="${HEIGHT}" fill="#3a3a42"/>`,
    `<rect x="${labelWidth}" width="${wordsWidth}" height="${HEIGHT}" fill="${colour}"/>`,
    '<g fill="#fff" text-anchor="middle" font-family="Verdana,DejaVu Sans,sans-serif" font-size="11">',
    text(LABEL, 0, labelWidth),
    text(words, labelWidth, wordsWidth),
    '</g>',
    '</svg>',
    '',
  ].join('\n');
}
