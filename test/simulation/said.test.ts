import { expect, test } from 'vitest';
import { sentencesOf } from '../docs/sentences.ts';
import { said } from './oracle/said.ts';

const texts = sentencesOf('src/app', 'src/core').map(({ text }) => text);

test.each(Object.entries(said))('the app says what the oracle goes by, in one place: %s', (_, part) => {
  expect(texts.filter((text) => text.includes(part))).toHaveLength(1);
});
