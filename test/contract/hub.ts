import { describe, expect, test } from 'vitest';
import type { Hub } from '../../src/core/ports.ts';
import {
  canonicalRow,
  descriptionForWrite,
  parseRegistration,
  type Registration,
} from '../../src/core/registration/registration.ts';
import { anAppleRow, tokenOf } from '../support/rows.ts';

/** An empty hub that no other test uses. */
export interface OpenHub extends AsyncDisposable {
  readonly hub: Hub;
  /** Everything accepted is applied when this resolves. */
  settle(): Promise<void>;
  /** From now on the hub takes only registration ids it gave out itself. */
  refuseForeignIds(): void;
}

/** What every implementation of `Hub` holds to. */
export function hubContract(title: string, open: () => Promise<OpenHub>): void {
  const soon = { deadlineAt: Date.now() + 600_000 };

  describe(`${title}: listing`, () => {
    test('an empty hub is one page without rows or token', async () => {
      await using opened = await open();
      expect(await opened.hub.listPage(undefined, soon)).toEqual({ rows: [], nextToken: undefined });
    });

    test('gives every row exactly once over pages of at most a hundred', async () => {
      await using opened = await open();
      const ids = Array.from({ length: 230 }, (_, index) => `${1000 + index}-1-1`);
      for (const id of ids) await opened.hub.putRegistration(id, written(anAppleRow({ id })), soon);
      await opened.settle();
      const { rows, sizes } = await listAll(opened.hub);
      expect(rows.map(({ id }) => id).sort()).toEqual(ids);
      expect(sizes).toEqual([100, 100, 30]);
    });

    test('gives the same page for the same token', async () => {
      await using opened = await open();
      for (let index = 0; index < 120; index++) {
        const id = `${1000 + index}-1-1`;
        await opened.hub.putRegistration(id, written(anAppleRow({ id })), soon);
      }
      await opened.settle();
      const first = await opened.hub.listPage(undefined, soon);
      if (first === 'tokenLost') throw new Error('a first page needs no token');
      const second = await opened.hub.listPage(first.nextToken, soon);
      expect(await opened.hub.listPage(first.nextToken, soon)).toEqual(second);
    });
  });

  describe(`${title}: registrations`, () => {
    test('a written one is listed under its id and is the same to a device', async () => {
      await using opened = await open();
      const body = '{"aps":\n {"alert":"<$(m)> & \\"中😀\\" ]]> end"}}';
      const xml = anAppleRow({ id: '7-8-1', tags: ['b', 'a:1'], template: { name: 't', body } });
      expect(await opened.hub.putRegistration('7-8-1', written(xml), soon)).toEqual({ kind: 'written' });
      await opened.settle();
      const { rows } = await listAll(opened.hub);
      expect(rows).toHaveLength(1);
      expect(rows[0]).toMatchObject({
        id: '7-8-1',
        tags: ['a:1', 'b'],
        platform: 'Apple',
        isTemplate: true,
        templateName: 't',
      });
      expect(canonicalRow(rows[0]?.xml ?? '')).toBe(canonicalRow(xml));
    });

    test('writing one again leaves one, and the later write holds', async () => {
      await using opened = await open();
      for (const tag of ['old', 'new', 'new']) {
        await opened.hub.putRegistration('7-8-1', written(anAppleRow({ id: '7-8-1', tags: [tag] })), soon);
      }
      await opened.settle();
      expect((await listAll(opened.hub)).rows.map(({ tags }) => tags)).toEqual([['new']]);
    });

    test('a foreign id may be refused; one the hub gave out is taken then', async () => {
      await using opened = await open();
      opened.refuseForeignIds();
      const xml = written(anAppleRow({ id: '7-8-1' }));
      expect(await opened.hub.putRegistration('7-8-1', xml, soon)).toEqual({ kind: 'idRefused', status: 410 });
      const id = await opened.hub.createRegistrationId(soon);
      expect(await opened.hub.putRegistration(id, xml, soon)).toEqual({ kind: 'written' });
      await opened.settle();
      expect((await listAll(opened.hub)).rows.map((row) => row.id)).toEqual([id]);
    });

    test('one is deleted as it was seen; one that changed since stays, and one that is gone is no error', async () => {
      await using opened = await open();
      const put = (tag: string) =>
        opened.hub.putRegistration('7-8-1', written(anAppleRow({ id: '7-8-1', tags: [tag] })), soon);
      await put('old');
      await opened.settle();
      const seen = (await listAll(opened.hub)).rows[0]?.etag ?? 0;
      await put('new');
      await opened.settle();
      expect(await opened.hub.deleteRegistration('7-8-1', seen, soon)).toBe('changed');
      const current = (await listAll(opened.hub)).rows[0]?.etag ?? 0;
      expect(await opened.hub.deleteRegistration('7-8-1', current, soon)).toBe('gone');
      await opened.settle();
      expect((await listAll(opened.hub)).rows).toEqual([]);
      expect(await opened.hub.deleteRegistration('7-8-1', current, soon)).toBe('gone');
    });

    test('one is found by its id as it is listed, and one that is not there is not found', async () => {
      await using opened = await open();
      const xml = anAppleRow({ id: '7-8-1', tags: ['a'], template: { name: 't', body: '{"a":"<$(m)>"}' } });
      expect(await opened.hub.findRegistration('7-8-1', soon)).toBeUndefined();
      await opened.hub.putRegistration('7-8-1', written(xml), soon);
      await opened.settle();
      const found = await opened.hub.findRegistration('7-8-1', soon);
      const row = parseRegistration(Buffer.from(found ?? []).toString());
      expect(row).toEqual((await listAll(opened.hub)).rows[0]);
      expect(canonicalRow(row.xml)).toBe(canonicalRow(xml));
    });

    test('one is written over only with the ETag it was seen with', async () => {
      await using opened = await open();
      const put = (tag: string, ifMatch?: number) =>
        opened.hub.putRegistration('7-8-1', written(anAppleRow({ id: '7-8-1', tags: [tag] })), { ...soon, ifMatch });
      expect(await put('first', 1)).toEqual({ kind: 'changed' });
      await put('first');
      await opened.settle();
      const seen = (await listAll(opened.hub)).rows[0]?.etag ?? 0;
      expect(await put('second', seen)).toEqual({ kind: 'written' });
      expect(await put('third', seen)).toEqual({ kind: 'changed' });
      await opened.settle();
      expect((await listAll(opened.hub)).rows.map(({ tags }) => tags)).toEqual([['second']]);
    });

    test('asking for ids gives new ones and leaves nothing behind', async () => {
      await using opened = await open();
      const ids = [await opened.hub.createRegistrationId(soon), await opened.hub.createRegistrationId(soon)];
      expect(new Set(ids).size).toBe(2);
      await opened.settle();
      expect((await listAll(opened.hub)).rows).toEqual([]);
    });
  });

  describe(`${title}: installations`, () => {
    test('all rows of one are found, and none of one that is not there', async () => {
      await using opened = await open();
      expect(await opened.hub.findInstallation('i-1', soon)).toEqual([]);
      await opened.hub.putInstallation('i-1', json(['news'], { alert: { body: '{}' } }), soon);
      await opened.settle();
      const found = await opened.hub.findInstallation('i-1', soon);
      const rows = found.map((bytes) => parseRegistration(Buffer.from(bytes).toString()));
      const byId = (all: readonly Registration[]) => all.toSorted((a, b) => (a.id < b.id ? -1 : 1));
      expect(byId(rows)).toEqual(byId((await listAll(opened.hub)).rows));
      expect(rows).toHaveLength(2);
    });

    test('rows are found by a tag they have, and by their device', async () => {
      await using opened = await open();
      await opened.hub.putInstallation('i-1', json(['news'], { alert: { body: '{}' } }), soon);
      await opened.settle();
      const { hub } = opened;
      expect(await hub.findRows({ tag: '$UserId:{u}' }, soon)).toHaveLength(2);
      expect(await hub.findRows({ handle: tokenOf('i-1').toLowerCase() }, soon)).toHaveLength(2);
      expect(await hub.findRows({ tag: 'sports' }, soon)).toEqual([]);
      expect(await hub.findRows({ handle: tokenOf('i-2') }, soon)).toEqual([]);
    });

    const json = (tags: readonly string[], templates: Readonly<Record<string, object>>): string =>
      JSON.stringify({
        installationId: 'i-1',
        platform: 'apns',
        pushChannel: tokenOf('i-1').toLowerCase(),
        userId: 'u',
        tags,
        templates,
      });
    const shapes = (rows: readonly Registration[]) =>
      rows
        .map(({ tags, templateName, handle }) => ({ tags: [...tags].sort(), templateName, handle }))
        .sort((a, b) => a.tags.length - b.tags.length);

    test('show as a native row and one for each template, which gets its own name as a tag', async () => {
      await using opened = await open();
      const body = json(['news'], { 'My Template': { body: '{"aps":{}}', tags: ['extra'] } });
      expect(await opened.hub.putInstallation('i-1', body, soon)).toEqual({ kind: 'written' });
      await opened.settle();
      const own = ['$InstallationId:{i-1}', '$UserId:{u}', 'news'];
      expect(shapes((await listAll(opened.hub)).rows)).toEqual([
        { tags: own, templateName: undefined, handle: tokenOf('i-1') },
        { tags: [...own, 'My Template', 'extra'].sort(), templateName: 'My Template', handle: tokenOf('i-1') },
      ]);
    });

    test('written again replace all their rows', async () => {
      await using opened = await open();
      await opened.hub.putInstallation('i-1', json(['old'], { t: { body: '{}' } }), soon);
      await opened.settle();
      await opened.hub.putInstallation('i-1', json(['new'], {}), soon);
      await opened.settle();
      expect(shapes((await listAll(opened.hub)).rows).map(({ tags }) => tags)).toEqual([
        ['$InstallationId:{i-1}', '$UserId:{u}', 'new'],
      ]);
    });

    test('are changed by patches, and one that is not there is said not to be', async () => {
      await using opened = await open();
      await opened.hub.putInstallation('i-1', json(['news'], {}), soon);
      await opened.settle();
      const patch = JSON.stringify([{ op: 'add', path: '/tags', value: 'more' }]);
      expect(await opened.hub.patchInstallation('i-1', patch, soon)).toEqual({ kind: 'written' });
      expect((await opened.hub.patchInstallation('no one', patch, soon)).kind).toBe('changed');
      await opened.settle();
      const tags = shapes((await listAll(opened.hub)).rows).map((row) => row.tags);
      expect(tags.map((each) => [...each].sort())).toEqual([['$InstallationId:{i-1}', '$UserId:{u}', 'more', 'news']]);
    });

    test('are deleted with all their rows and no others; one that is not there is no error', async () => {
      await using opened = await open();
      await opened.hub.putRegistration('7-8-1', written(anAppleRow({ id: '7-8-1', token: tokenOf('i-1') })), soon);
      await opened.hub.putInstallation('i-1', json(['news'], { t: { body: '{}' } }), soon);
      await opened.settle();
      await opened.hub.deleteInstallation('i-1', soon);
      await opened.hub.deleteInstallation('no one / at all', soon);
      await opened.settle();
      expect((await listAll(opened.hub)).rows.map((row) => row.id)).toEqual(['7-8-1']);
      await opened.hub.deleteInstallation('i-1', soon);
    });

    test('leave plain registrations of the same device alone', async () => {
      await using opened = await open();
      await opened.hub.putRegistration('7-8-1', written(anAppleRow({ id: '7-8-1', token: tokenOf('i-1') })), soon);
      await opened.hub.putInstallation('i-1', json([], {}), soon);
      await opened.settle();
      expect((await listAll(opened.hub)).rows).toHaveLength(2);
    });
  });

  describe(`${title}: the probe`, () => {
    test('tells what can be known of the tier, and writes nothing', async () => {
      await using opened = await open();
      const { tier, latencyMs } = await opened.hub.probe(soon);
      expect(['Standard', 'unknown']).toContain(tier);
      expect(latencyMs).toBeGreaterThanOrEqual(0);
      await opened.settle();
      expect((await listAll(opened.hub)).rows).toEqual([]);
    });
  });

  async function listAll(hub: Hub): Promise<{ rows: Registration[]; sizes: number[] }> {
    const rows: Registration[] = [];
    const sizes: number[] = [];
    let token: string | undefined;
    do {
      const page = await hub.listPage(token, soon);
      if (page === 'tokenLost') throw new Error('the token was lost');
      rows.push(...page.rows.map((row) => parseRegistration(Buffer.from(row).toString())));
      sizes.push(page.rows.length);
      token = page.nextToken;
    } while (token !== undefined);
    return { rows, sizes };
  }
}

function written(xml: string): string {
  return descriptionForWrite(xml);
}
