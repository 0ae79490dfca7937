import { expect, test } from 'vitest';
import { sentencesOf } from '../docs/sentences.ts';

const sources = new URL('../../src/', import.meta.url);
/** Plain JavaScript, which this project's tests are not compiled with. */
const part: { onThisPage: (message: string) => string } = await import(
  new URL('console/parts/on-this-page.js', sources).href
);
const { onThisPage } = part;
test('whatever the app advises to do in a terminal, the page says as it is done here', () => {
  const texts = sentencesOf('src/core', 'src/app')
    .map(({ text }) => text.replaceAll('…s', 'restores').replaceAll('…', '2026-11-23T09-00-00Z-abcdef'))
    .filter((text) => /notification-hubs-dr [a-z]|\w --[a-z]/.test(text) && !/^az /.test(text));
  expect(texts.length).toBeGreaterThan(20);
  const left = texts.map(onThisPage).filter((text) => /notification-hubs-dr [a-z]|--confirm|--force/.test(text));
  expect(left).toEqual([]);
});

test('instants are shown as people read them, and ids as they are', () => {
  const shown = onThisPage('Restore 2026-11-23T13-56-30Z-00ab12 ended at 2026-11-23T13:56:40.000Z.');
  expect(shown).toContain('Restore 2026-11-23T13-56-30Z-00ab12 ended at 23 Nov, ');
  expect(shown).not.toContain('13:56:40');
});
