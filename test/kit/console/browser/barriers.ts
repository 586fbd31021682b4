import axe from 'axe-core';
import type { Page } from 'playwright-core';

const RULES = ['wcag2a', 'wcag2aa', 'wcag21aa', 'wcag22aa', 'best-practice'];

/** What somebody could not read, reach or understand, and where. */
export async function barriers(page: Page): Promise<string[]> {
  await page.evaluate(axe.source);
  return page.evaluate<string[]>(`
    axe.run(document, { runOnly: ${JSON.stringify(RULES)} }).then(({ violations }) =>
      violations.flatMap(({ id, nodes }) => nodes.map(({ html, failureSummary }) => id + ': ' + html + ' ' + failureSummary)))`);
}

/** The page scrolls up and down only. */
export async function needsMoreThan(page: Page, width: number): Promise<string[]> {
  await page.setViewportSize({ width, height: 800 });
  const needed = await page.evaluate<number>('document.documentElement.scrollWidth');
  return needed > width ? [`needs ${needed} of ${width} pixels`] : [];
}
