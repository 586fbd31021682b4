import { expect, it } from '@jest/globals';
import fc from 'fast-check';
import { html } from '../../../src/kit/reading/html.ts';

it('escapes what could begin a tag, an attribute or an entity', () =>
  expect(String(html`<p title="${`"'`}">${'<b>&amp;'}</p>`)).toBe(
    '<p title="&#34;&#39;">&#60;b&#62;&#38;amp;</p>',
  ));

it('takes over what is HTML already, alone or in a list', () => {
  const items = ['a', '<b>'].map((name) => html`<li>${name}</li>`);
  expect(
    String(
      html`<ul>
        ${items}
      </ul>`,
    ).replace(/\s+/g, ''),
  ).toBe('<ul><li>a</li><li>&#60;b&#62;</li></ul>');
  expect(String(html`<p>${html`<b>now</b>`}</p>`)).toBe('<p><b>now</b></p>');
});

it('escapes no text twice and loses none', () =>
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), (text) => {
      const shown = String(html`${text}`);
      expect(shown).not.toMatch(/[<>"']/);
      const read = shown.replace(/&#(\d+);/g, (_, code: string) => String.fromCharCode(Number(code)));
      expect(read).toBe(text);
    }),
  ));
