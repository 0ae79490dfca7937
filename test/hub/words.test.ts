import { expect, test } from 'vitest';
import { wordsIn } from '../../src/hub/transport/words.ts';

const said = (detail: string): Buffer => Buffer.from(`<Error><Code>400</Code><Detail>${detail}</Detail></Error>`);

test.each([
  ['Tags can not start with $.', '', 'Tags can not start with …'],
  ['Something went wrong..TrackingId:1-2_G0,TimeStamp:2026', '', 'Something went wrong.'],
  ["The device token 'ABC' is bad", '', 'The device token … is bad'],
  ['The handle &quot;secret&quot; is bad', '', 'The handle … is bad'],
  ['The tag politics is not allowed', '<Tags>sports,politics</Tags>', 'The tag … is not allowed'],
  ['The user smith is not allowed', '{"userId":"smith","tags":[]}', 'The user … is not allowed'],
  ['Token 0123456789abcdef0123 is too long', '', 'Token … is too long'],
])("what a hub says is kept without what may be the record's own: %s", (detail, sent, words) => {
  expect(wordsIn(said(detail), sent)).toBe(words);
});

test.each([['0123456789abcdef'], ['politics'], ['']])('where too little is left nothing is kept: %s', (detail) => {
  expect(wordsIn(said(detail), '<Tags>politics</Tags>')).toBeUndefined();
});

test("a long text is cut, and another document than the service's error is not quoted", () => {
  expect(wordsIn(said('word '.repeat(1000)))?.length).toBeLessThanOrEqual(200);
  expect(wordsIn(Buffer.from('<html><body>An error of a proxy</body></html>'))).toBeUndefined();
  expect(wordsIn(Buffer.from([0xff, 0xfe, 0x00]))).toBeUndefined();
});
