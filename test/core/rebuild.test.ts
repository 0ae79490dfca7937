import { describe, expect, test } from 'vitest';
import { Hub } from '../../local/emulator/hub.ts';
import { parseInstallation } from '../../local/emulator/installation.ts';
import { renderDescription } from '../../local/emulator/xml-out.ts';
import { fingerprintRecord } from '../../src/core/fingerprint/row.ts';
import { chooseRows } from '../../src/core/registration/distinct.ts';
import { isInPlace } from '../../src/core/registration/expected.ts';
import { rebuildInstallation } from '../../src/core/registration/installation.ts';
import { parseRegistration, type Registration } from '../../src/core/registration/registration.ts';
import { virtualWorld } from '../emulator/virtual-world.ts';

/** The rows that a hub shows of an installation. */
function rowsOf(body: object, nativeTileRows = false): Registration[] {
  const world = virtualWorld({ startAt: Date.parse('2026-11-28T00:00:00Z') });
  const hub = new Hub('devices', 'primary/devices', { world, switches: { nativeTileRows } });
  hub.applyInstallation(parseInstallation('i', body));
  return hub.listPage({ top: 100 }).rows.map((row) => parseRegistration(renderDescription(row, 2022)));
}

function rebuilt(rows: readonly Registration[]): object {
  const installation = rebuildInstallation(rows, 0);
  if (typeof installation === 'string') throw new Error(installation);
  return JSON.parse(JSON.stringify(installation.body));
}

const apple = { platform: 'apns', pushChannel: 'AA', tags: ['news'] };

test.each([
  ['the name of a template holds commas', { 'a,b': { body: '{}', tags: ['x'] } }],
  ['and is as a tag of the installation and one of its own', { 'news, b': { body: '{}', tags: ['b'] } }],
  ['the name is as its tag', { b: { body: '{}' } }],
])('a template has the tags that it was given: %s', (_, templates) => {
  expect(rebuilt(rowsOf({ ...apple, templates }))).toMatchObject({ tags: ['news'], templates });
});

test('where the native row is missing, too', () => {
  const templates = { 'a,b': { body: '{}', tags: ['x'] }, c: { body: '{}' } };
  const rows = rowsOf({ ...apple, templates }).filter(({ isTemplate }) => isTemplate);
  expect(rebuilt(rows)).toMatchObject({ tags: ['news'], templates });
});

describe.each([false, true])('a secondary tile (native rows of tiles: %s)', (hasNativeRows) => {
  const template = { body: '<toast/>', headers: { 'X-WNS-Type': 'wns/toast' } };
  const windows = { platform: 'wns', pushChannel: 'https://c/', tags: ['news', 'sport'] };

  test('and its templates have the tags that they were given, and none of the installation', () => {
    const secondaryTiles = {
      t: { pushChannel: 'https://t/', templates: { a: { ...template, tags: ['own'] }, b: template } },
    };
    const rows = rowsOf({ ...windows, secondaryTiles }, hasNativeRows);
    expect(rows).toHaveLength(hasNativeRows ? 4 : 3);
    expect(rebuilt(rows)).toMatchObject({ tags: ['news', 'sport'] });
    expect(rebuilt(rows)).toHaveProperty('secondaryTiles', secondaryTiles);
  });

  test('has its own tags where a row shows them', () => {
    const secondaryTiles = {
      t: { pushChannel: 'https://t/', tags: ['of-tile'], templates: { a: { ...template, tags: ['own'] } } },
    };
    const body = rebuilt(rowsOf({ ...windows, secondaryTiles }, hasNativeRows));
    const ofTemplate = {
      t: { pushChannel: 'https://t/', templates: { a: { ...template, tags: ['of-tile', 'own'] } } },
    };
    expect(body).toHaveProperty('secondaryTiles', hasNativeRows ? secondaryTiles : ofTemplate);
  });

  test('keeps the tags of its rows where the hub gives it none of the installation', () => {
    const secondaryTiles = { t: { pushChannel: 'https://t/', templates: { a: { ...template, tags: ['own'] } } } };
    const rows = rowsOf({ ...windows, tags: [], secondaryTiles }, hasNativeRows);
    const [native, ...others] = rows.toSorted((a, b) => Number(a.isTemplate) - Number(b.isTemplate));
    if (native === undefined) throw new Error('an installation has a native row');
    const tagged = { ...native, tags: [...native.tags, 'news', 'own'] };
    expect(rebuilt([tagged, ...others])).toHaveProperty('secondaryTiles', secondaryTiles);
  });
});

describe('a template without a name', () => {
  const rows = rowsOf({ ...apple, templates: { a: { body: '{}' }, b: { body: '{"b":1}' } } });
  const given = rows.map((row) =>
    row.templateName === 'b'
      ? parseRegistration(row.xml.replace(/<TemplateName>.*<\/TemplateName>/, '<TemplateName i:nil="true"/>'))
      : row,
  );
  const whole = rowsOf({ ...apple, templates: { a: { body: '{}' } } });

  test('is left out, and the rest of its installation is restored', () => {
    expect(rebuilt(given)).toEqual(rebuilt(whole));
    expect(chooseRows(given)).toMatchObject({ duplicates: 0, superseded: 1 });
    expect(fingerprintRecord({ key: 'i:i', rows: given })).toMatchObject({ superseded: 1 });
    expect(isInPlace({ key: 'i:i', rows: given }, { key: 'i:i', rows: whole })).toBe(true);
  });

  test('alone shows the device, which is restored without it', () => {
    const alone = given.filter((row) => row.isTemplate && row.templateName === undefined);
    expect(rebuilt(alone)).not.toHaveProperty('templates');
    expect(rebuilt(alone)).toMatchObject({ platform: 'apns', pushChannel: 'AA' });
  });
});
