import { readdir, readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';

const sources = new URL('../../src/', import.meta.url);
/** Plain JavaScript, which this project's tests are not compiled with. */
const part: { onThisPage: (message: string) => string } = await import(
  new URL('console/parts/on-this-page.js', sources).href
);
const { onThisPage } = part;
/** Of a body that the page writes itself. */
const notShown = 'Send nothing, or a JSON object';

/** Every text of the app that names a call, with an id in place of each value. */
async function textsWithCalls(): Promise<string[]> {
  const texts: string[] = [];
  for (const folder of ['core/', 'app/']) {
    for (const path of await readdir(new URL(folder, sources), { recursive: true })) {
      if (!path.endsWith('.ts')) continue;
      const code = (await readFile(new URL(folder + path, sources), 'utf8')).replaceAll(/^\s*(\*|\/\/|\/\*).*$/gm, '');
      for (const [text] of code.matchAll(/'[^'\n]*'|`[^`\n]*`/g)) {
        if (/\b(GET|POST|PUT|DELETE) \/api\/|failuresByCode|the field|with force/.test(text)) {
          texts.push(
            text
              .replaceAll(/\$\{kind\}/g, 'restore')
              .replaceAll(/\$\{[^}]*\}/g, '2026-11-23T09-00-00Z-abcdef')
              .slice(1, -1),
          );
        }
      }
    }
  }
  return texts;
}

test('whatever the app says in calls of its API, the page says as it is done here', async () => {
  const texts = await textsWithCalls();
  expect(texts.length).toBeGreaterThan(20);
  const left = texts
    .filter((text) => !text.startsWith(notShown))
    .map(onThisPage)
    .filter((text) => /\/api\/|POST|GET|DELETE|failuresByCode|the field|force/.test(text));
  expect(left).toEqual([]);
});

test('instants are shown as people read them, and ids as they are', () => {
  const shown = onThisPage('Restore 2026-11-23T13-56-30Z-00ab12 ended at 2026-11-23T13:56:40.000Z.');
  expect(shown).toContain('Restore 2026-11-23T13-56-30Z-00ab12 ended at 23 Nov, ');
  expect(shown).not.toContain('13:56:40');
});
