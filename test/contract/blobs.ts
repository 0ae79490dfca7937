import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Blobs } from '../../src/core/ports.ts';

/** What every implementation of `Blobs` holds to. `open` answers empty blobs that no other test writes to. */
export function blobsContract(title: string, open: () => Promise<Blobs>): void {
  describe(`${title}: reading and writing`, () => {
    test('reads what was written, byte for byte, and nothing where nothing was', async () => {
      const blobs = await open();
      const bytes = Uint8Array.from({ length: 256 }, (_, index) => index);
      const etag = await blobs.put('a/b c/ü+%.json', bytes, 'any');
      expect(await blobs.get('a/b c/ü+%.json')).toEqual({ bytes, etag, ageMs: expect.any(Number) });
      expect(await blobs.get('a/b c')).toBeUndefined();
    });

    test('keeps what was written when the writer changes its bytes afterwards', async () => {
      const blobs = await open();
      const bytes = text('before');
      await blobs.put('a', bytes, 'any');
      bytes.fill(0);
      expect(await textAt(blobs, 'a')).toBe('before');
    });

    test('holds an empty blob', async () => {
      const blobs = await open();
      const etag = await blobs.put('empty', new Uint8Array(), 'new');
      expect(await blobs.get('empty')).toEqual({ bytes: new Uint8Array(), etag, ageMs: expect.any(Number) });
    });

    test('holds a blob of 20 MB and reads any part of it', async () => {
      const blobs = await open();
      const bytes = new Uint8Array(randomBytes(20_000_000));
      await blobs.put('big', bytes, 'new');
      expect(Buffer.compare((await blobs.get('big'))?.bytes ?? text(''), bytes)).toBe(0);
      const part = await blobs.get('big', { offset: 12_345_678, length: 4_321 });
      expect(part?.bytes).toEqual(bytes.slice(12_345_678, 12_349_999));
    });

    test('reads ranges, cut at the end of the blob', async () => {
      const blobs = await open();
      const etag = await blobs.put('digits', text('0123456789'), 'any');
      const ranges: readonly (readonly [number, number, string])[] = [
        [0, 3, '012'],
        [7, 3, '789'],
        [8, 100, '89'],
        [10, 1, ''],
        [99, 1, ''],
        [0, 0, ''],
        [4, 0, ''],
      ];
      for (const [offset, length, part] of ranges) {
        expect(await blobs.get('digits', { offset, length })).toEqual({
          bytes: text(part),
          etag,
          ageMs: expect.any(Number),
        });
      }
      expect(await blobs.get('nothing', { offset: 0, length: 1 })).toBeUndefined();
      expect(await blobs.get('nothing', { offset: 0, length: 0 })).toBeUndefined();
    });
  });

  describe(`${title}: conditions`, () => {
    test("'new' writes once, and says conflict from then on", async () => {
      const blobs = await open();
      expect(await blobs.put('a', text('1'), 'new')).not.toBe('conflict');
      expect(await blobs.put('a', text('2'), 'new')).toBe('conflict');
      expect(await textAt(blobs, 'a')).toBe('1');
    });

    test('an ETag lets through one write, until the blob is written again', async () => {
      const blobs = await open();
      const first = await put(blobs, 'a', '1');
      const second = await blobs.put('a', text('2'), { etag: first });
      expect(second).not.toBe('conflict');
      expect(second).not.toBe(first);
      expect(await blobs.put('a', text('3'), { etag: first })).toBe('conflict');
      expect(await blobs.put('missing', text('3'), { etag: first })).toBe('conflict');
      expect(await textAt(blobs, 'a')).toBe('2');
    });

    test('the ETag of a read serves for a write', async () => {
      const blobs = await open();
      await blobs.put('a', text('1'), 'new');
      const read = await blobs.get('a');
      expect(await blobs.put('a', text('2'), { etag: read?.etag ?? '' })).not.toBe('conflict');
    });

    test('writing the same bytes again changes the ETag', async () => {
      const blobs = await open();
      expect(await put(blobs, 'a', 'same')).not.toBe(await put(blobs, 'a', 'same'));
    });

    test("of many writers at once exactly one wins a 'new', and one each ETag", async () => {
      const blobs = await open();
      const racers = Array.from({ length: 8 }, (_, index) => String(index));
      const created = await Promise.all(racers.map((racer) => blobs.put('a', text(racer), 'new')));
      const winners = racers.filter((_, index) => created[index] !== 'conflict');
      expect(winners).toHaveLength(1);
      expect(await textAt(blobs, 'a')).toBe(winners[0]);
      const etag = created.find((answer) => answer !== 'conflict') ?? '';
      const replaced = await Promise.all(racers.map((racer) => blobs.put('a', text(`re${racer}`), { etag })));
      expect(replaced.filter((answer) => answer !== 'conflict')).toHaveLength(1);
    });

    test('no increment is lost when writers compare and swap', async () => {
      const blobs = await open();
      await blobs.put('count', text('0'), 'new');
      const increment = async (): Promise<void> => {
        const read = await blobs.get('count');
        const next = String(Number(decode(read?.bytes)) + 1);
        if ((await blobs.put('count', text(next), { etag: read?.etag ?? '' })) === 'conflict') await increment();
      };
      await Promise.all(Array.from({ length: 5 }, increment));
      expect(await textAt(blobs, 'count')).toBe('5');
    });
  });

  describe(`${title}: removing`, () => {
    test('removes a blob, and does not mind when there is none', async () => {
      const blobs = await open();
      await blobs.put('a', text('1'), 'new');
      await blobs.remove('a');
      await blobs.remove('a');
      expect(await blobs.get('a')).toBeUndefined();
      expect(await blobs.list('')).toEqual([]);
      expect(await blobs.put('a', text('2'), 'new')).not.toBe('conflict');
    });

    test('with an ETag removes only the blob that still has it', async () => {
      const blobs = await open();
      const first = await put(blobs, 'a', '1');
      const second = await put(blobs, 'a', '2');
      await blobs.remove('a', first);
      expect(await textAt(blobs, 'a')).toBe('2');
      await blobs.remove('a', second);
      expect(await blobs.get('a')).toBeUndefined();
      await blobs.remove('a', second);
    });
  });

  describe(`${title}: listing`, () => {
    test('lists by prefix in name order, with size, facts and times', async () => {
      const blobs = await open();
      const before = Date.now();
      await blobs.put('x/2', text('22'), 'any', { records: '2', health_reason: 'none of 4, all fine: ok' });
      await blobs.put('x/10', text('1010'), 'any');
      await blobs.put('x/1', new Uint8Array(), 'any', { records: '1' });
      await blobs.put('xy', text('-'), 'any');
      await blobs.put('X/1', text('-'), 'any');
      const entries = await blobs.list('x/');
      expect(entries.map(({ name, facts, sizeBytes }) => ({ name, facts, sizeBytes }))).toEqual([
        { name: 'x/1', facts: { records: '1' }, sizeBytes: 0 },
        { name: 'x/10', facts: {}, sizeBytes: 4 },
        { name: 'x/2', facts: { records: '2', health_reason: 'none of 4, all fine: ok' }, sizeBytes: 2 },
      ]);
      for (const { createdAt, modifiedAt } of entries) {
        // Storage keeps times in whole seconds.
        for (const time of [createdAt, modifiedAt]) {
          expect(time.getTime()).toBeGreaterThan(before - 2_000);
          expect(time.getTime()).toBeLessThan(Date.now() + 2_000);
        }
      }
      for (const { name, etag, ageMs } of entries) {
        expect(etag).toBe((await blobs.get(name))?.etag);
        expect(ageMs).toBeGreaterThanOrEqual(0);
        expect(ageMs).toBeLessThan(5_000);
      }
      expect(await blobs.list('nothing')).toEqual([]);
    });

    test('a new write replaces the facts, and none leaves none', async () => {
      const blobs = await open();
      await blobs.put('a', text('1'), 'any', { one: '1', two: '2' });
      await blobs.put('a', text('1'), 'any', { two: '3' });
      expect((await blobs.list('a'))[0]?.facts).toEqual({ two: '3' });
      await blobs.put('a', text('1'), 'any');
      expect((await blobs.list('a'))[0]?.facts).toEqual({});
    });

    test('refuses facts that storage would refuse or change', async () => {
      const blobs = await open();
      const refused: readonly Record<string, string>[] = [
        { Upper: '1' },
        { 'with-dash': '1' },
        { '1st': '1' },
        { putid: '1' },
        { a: '' },
        { a: ' 1' },
        { a: '1 ' },
        { a: 'ü' },
        { a: 'line\nbreak' },
        { a: 'x'.repeat(8_200) },
      ];
      for (const facts of refused) {
        await expect(blobs.put('a', text('1'), 'any', facts), JSON.stringify(facts).slice(0, 40)).rejects.toMatchObject(
          {
            code: 'Internal',
          },
        );
      }
      expect(await blobs.list('')).toEqual([]);
    });

    test('any other facts come back as they were', async () => {
      const blobs = await open();
      let index = 0;
      await fc.assert(
        fc.asyncProperty(factsArbitrary, async (facts) => {
          index += 1;
          await blobs.put(`f/${index}`, text(''), 'new', facts);
          expect((await blobs.list(`f/${index}`))[0]?.facts).toEqual(facts);
        }),
        { numRuns: 25 },
      );
    });

    test('lists folders one level deep, without the blobs beside them', async () => {
      const blobs = await open();
      const names = ['r/b/1', 'r/b/2', 'r/a/x/y', 'r/a.json', 'r/a-b/1', 'other/1', 'r/ab/1'];
      await Promise.all(names.map((name) => blobs.put(name, text('-'), 'any')));
      expect(await blobs.listFolders('r/')).toEqual(['r/a-b/', 'r/a/', 'r/ab/', 'r/b/']);
      expect(await blobs.listFolders('r/a/')).toEqual(['r/a/x/']);
      expect(await blobs.listFolders('none/')).toEqual([]);
    });
  });
}

const factsArbitrary = fc.dictionary(
  fc.stringMatching(/^[a-z][a-z0-9_]{0,20}$/).filter((name) => name !== 'putid'),
  fc.stringMatching(/^[!-~]([ -~]{0,40}[!-~])?$/),
  { maxKeys: 5, noNullPrototype: true },
);

function text(value: string): Uint8Array {
  return new TextEncoder().encode(value);
}

function decode(bytes: Uint8Array | undefined): string | undefined {
  return bytes === undefined ? undefined : new TextDecoder().decode(bytes);
}

async function textAt(blobs: Blobs, name: string): Promise<string | undefined> {
  return decode((await blobs.get(name))?.bytes);
}

async function put(blobs: Blobs, name: string, value: string): Promise<string> {
  return blobs.put(name, text(value), 'any');
}
