import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeFeedback, readVerdicts, type Verdict } from '../../src/core/feedback/verdict.ts';
import { aDocument, type Said } from './feedback-store.ts';

const at = Date.parse('2026-11-29T10:00:00Z');
const read = (text: string) => readVerdicts(text, true);
const one = (said: Partial<Said>) =>
  read(aDocument({ at, error: 'ExpiredChannel', handle: '0a', ...said })).verdicts[0];

describe('a verdict of a push service', () => {
  it('is read from documents that follow one another, with and without declarations and ids', () => {
    const first = aDocument({ at, error: 'ExpiredChannel', handle: '0a' });
    const second = aDocument({ at, error: 'Dropped', platform: 'gcm', handle: 'b<c', installationId: 'i-1' });
    const { verdicts, unreadable } = read(`\uFEFF${first}\r\n${second.replace(/^<\?.*?\?>/, '')}\n`);
    expect(unreadable).toBe(0);
    expect(verdicts).toEqual([
      { at, meaning: 'dead', platform: 'Apple', handle: '0A', installationId: undefined, newHandle: undefined },
      { at, meaning: 'passing', platform: 'Gcm', handle: 'b<c', installationId: 'i-1', newHandle: undefined },
    ]);
  });

  it.each<[string, Verdict['meaning']]>([
    ['ExpiredChannel', 'dead'],
    ['BadChannel', 'dead'],
    ['wrongchannel', 'dead'],
    ['5', 'dead'],
    ['InvalidCredentials', 'credentials'],
    ['InvalidToken', 'credentials'],
    ['11', 'credentials'],
    ['Throttled', 'passing'],
    ['NoTargets', 'passing'],
    ['UnknownError', 'passing'],
    ['WhatComesNext', 'passing'],
    ['7', 'passing'],
  ])('%s means %s', (error, meaning) => {
    expect(one({ error })?.meaning).toBe(meaning);
  });

  it('renews a handle where it names another one, but not where the credentials are at fault', () => {
    expect(one({ error: 'RefreshToken', newHandle: '0b' })).toMatchObject({ meaning: 'renewed', newHandle: '0B' });
    expect(one({ error: 'ExpiredChannel', newHandle: '0b' })?.meaning).toBe('renewed');
    expect(one({ error: 'InvalidCredentials', newHandle: '0b' })?.meaning).toBe('credentials');
  });

  it.each([
    ['2026-11-29T10:00:00', at],
    ['2026-11-29T12:00:00.000+02:00', at],
    ['11/29/2026 10:00:00 AM', at],
  ])('dated %s is of that instant, in UTC where it names no zone', (text, instant) => {
    expect(one({ at: text })?.at).toBe(instant);
  });

  it('is unreadable without a time, a handle, a platform or an error, and keeps no other from being read', () => {
    const good = aDocument({ at, error: 'ExpiredChannel', handle: '0a' });
    const bad = [
      aDocument({ at: 'soon', error: 'ExpiredChannel', handle: '0a' }),
      good.replace(/<PnsHandle>.*<\/PnsHandle>/, ''),
      good.replace(/<Platform>.*<\/Platform>/, ''),
      good.replace('ExpiredChannel', ''),
      good.replace('</PnsHandle>', ''),
      good.slice(0, -20),
    ];
    for (const text of bad) expect(read(text + good)).toMatchObject({ unreadable: 1, verdicts: [{ handle: '0A' }] });
  });

  it('takes a time that grows with the text alone, whatever that is', () => {
    const { unreadable } = read('<PnsFeedback>'.repeat(20_000));
    expect(unreadable).toBe(20_000);
  });
});

const texts = fc.string({ unit: 'binary', minLength: 1, maxLength: 20 }).filter((text) => {
  const isXml = /^[\t\n\r\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]+$/u.test(text);
  return isXml && text.trim() === text && !text.includes('\r');
});
const said: fc.Arbitrary<Said> = fc.record(
  {
    at: fc.integer({ min: 0, max: 4e12 }),
    error: fc.constantFrom('ExpiredChannel', 'Dropped', 'RefreshToken'),
    platform: fc.constantFrom('gcm', 'wns', 'fcmv1'),
    handle: texts,
    installationId: texts,
    newHandle: texts,
  },
  { requiredKeys: ['at', 'error', 'platform', 'handle'] },
);

it('is read the same in pieces of any size and in either encoding, each once', () => {
  const property = fc.property(
    fc.array(said, { maxLength: 6 }),
    fc.constantFrom('utf8' as const, 'utf16le' as const),
    fc.integer({ min: 16, max: 400 }),
    (all, encoding, size) => {
      const text = all.map(aDocument).join('\r\n');
      const bytes = Buffer.from(text, encoding);
      const whole = read(text);
      expect(whole.verdicts.map(({ handle }) => handle)).toEqual(all.map(({ handle }) => handle));
      const verdicts: Verdict[] = [];
      let from = 0;
      for (let to = size; from < bytes.length; to += size) {
        // As a file that grows: what was read is not read again.
        const end = Math.min(bytes.length, encoding === 'utf8' ? to : to - (to % 2));
        const { text: part, bytesOf } = decodeFeedback(bytes.subarray(from, end));
        const found = readVerdicts(part, false);
        verdicts.push(...found.verdicts);
        expect(found.unreadable).toBe(0);
        from += bytesOf(found.done);
        if (to > bytes.length + size) break;
      }
      expect(verdicts).toEqual(whole.verdicts);
    },
  );
  fc.assert(property);
});

it('whatever the text is, reading ends, and throws nothing', () => {
  const pieces = fc.constantFrom(
    '<PnsFeedback>',
    '</PnsFeedback>',
    '<x:PnsFeedback ',
    '<',
    '>',
    '&',
    '\0',
    'é',
    '<?xml',
    ']]>',
  );
  fc.assert(
    fc.property(fc.array(fc.oneof(pieces, fc.string()), { maxLength: 30 }), (all) => {
      const { text, bytesOf } = decodeFeedback(Buffer.from(all.join('')));
      const { done } = readVerdicts(text, false);
      expect(bytesOf(done)).toBeLessThanOrEqual(Buffer.byteLength(all.join('')));
      readVerdicts(text, true);
    }),
  );
});
