import { expect, test } from 'vitest';
import { readElements } from '../../src/core/registration/elements.ts';

test('a description that ends within a surrogate pair is refused as malformed', () => {
  const pair = '\u{1F600}';
  for (const start of ['<a>', '<a><![CDATA[]']) {
    const xml = `${start}${pair[0]}`;
    expect(() => readElements(xml)).toThrow(expect.objectContaining({ code: 'HubMisbehaves' }));
  }
});
