import { expect, test } from 'vitest';
import { Hub as EmulatedHub } from '../../local/emulator/hub.ts';
import { parseInstallation } from '../../local/emulator/installation.ts';
import { toRowContent } from '../../local/emulator/row.ts';
import { defaultSwitches } from '../../local/emulator/switches.ts';
import { parseDescription } from '../../local/emulator/xml-in.ts';
import { renderDescription } from '../../local/emulator/xml-out.ts';
import { canonicalRow, descriptionForWrite, parseRegistration } from '../../src/core/registration/registration.ts';
import { HubStore } from './hub-store.ts';
import { drawKnobs, type HubKnobs } from './knobs.ts';
import { type Random, randomOf } from './random.ts';
import { type Description, type Row, renderRow, TEMPLATE_NAME, type Writer } from './row.ts';
import { Scheduler } from './scheduler.ts';

const by: Writer = { kind: 'service' };

/** Both hubs do the same; a row is known by what it says and its ETag, since each hub gives ids of its own. */
function openBoth(random: Random, noOpPutTrap: boolean) {
  const knobs: HubKnobs = {
    ...drawKnobs(1).primary,
    installationDelayMs: [0, 0],
    noOpPutTrap,
    unchangedRaisesEtag: true,
    unchangedInstallationRaisesEtag: false,
    timeToLiveMs: undefined,
    refusesForeignIds: false,
    dropsTags: false,
    replacesTemplates: false,
  };
  const parts = { scheduler: new Scheduler(0, random), random: randomOf(1, 'ids'), observe: () => {} };
  const store = new HubStore('ours', knobs, parts);
  const emulated = new EmulatedHub('theirs', 'namespace/theirs', { switches: { noOpPutTrap } });
  const emulatedXml = (): string[] => [...emulated.rows.values()].map((row) => renderDescription(row, 2022));
  return { store, emulated, emulatedXml };
}

type Both = ReturnType<typeof openBoth>;

function shown(xml: string): string {
  return `${parseRegistration(xml).etag} ${canonicalRow(xml)}`;
}

function xmlOf(row: Row): string {
  return Buffer.from(renderRow(row)).toString();
}

function describe(random: Random, installationId: string | undefined): Description {
  const hasBody = random.chance(0.5);
  return {
    platform: random.pick(['Apple', 'FcmV1']),
    handle: random.pick(['AA01', 'AA02', 'AA03']),
    tags: ['d1', `c${random.below(4)}`],
    body: hasBody ? `{"c":"${random.below(3)}"}` : undefined,
    installationId,
  };
}

function putPlain({ store, emulated }: Both, random: Random): void {
  const id = `${random.below(4)}-1-1`;
  const description = describe(random, undefined);
  const asRow = { ...description, id, etag: 0, expiresAt: undefined, appliedAt: 0, by };
  store.putRegistration(id, description, by);
  const content = toRowContent(parseDescription(wrap(descriptionForWrite(xmlOf(asRow))), defaultSwitches));
  emulated.putRegistration(id, content, undefined);
}

function wrap(xml: string): string {
  return `<entry xmlns="http://www.w3.org/2005/Atom"><content type="application/xml">${xml}</content></entry>`;
}

function putInstallation({ store, emulated }: Both, random: Random): void {
  const installationId = random.pick(['one', 'two']);
  const given = { ...describe(random, installationId), installationId, expiresAt: undefined };
  const hasOwnTags = given.body !== undefined && random.chance(0.3);
  const templateTags = hasOwnTags ? ['d1', `c${random.below(4)}`, 'own'] : undefined;
  const body = templateTags === undefined ? given : { ...given, templateTags };
  store.putInstallation(body, by);
  const template = { body: body.body, ...(templateTags === undefined ? {} : { tags: templateTags }) };
  const templates = body.body === undefined ? {} : { [TEMPLATE_NAME]: template };
  const platform = body.platform === 'Apple' ? 'apns' : 'fcmv1';
  const json = { platform, pushChannel: body.handle, tags: body.tags, templates };
  emulated.applyInstallation(parseInstallation(installationId, json));
}

function loseOne({ store, emulated, emulatedXml }: Both, random: Random): void {
  const row = random.pickAny(store.rows().sort((a, b) => (xmlOf(a) < xmlOf(b) ? -1 : 1)));
  if (row === undefined) return;
  const same = emulatedXml().find((xml) => shown(xml) === shown(xmlOf(row)));
  store.lose(row.id);
  if (same !== undefined) emulated.removeRow(parseRegistration(same).id);
}

function act(both: Both, random: Random): void {
  const installationId = random.pick(['one', 'two']);
  switch (random.below(5)) {
    case 0:
      putPlain(both, random);
      break;
    case 1: {
      const id = `${random.below(4)}-1-1`;
      both.store.deleteRegistration(id, undefined, by);
      if (both.emulated.rows.has(id)) both.emulated.deleteRegistration(id, undefined);
      break;
    }
    case 2:
      both.store.deleteInstallation(installationId, by);
      both.emulated.removeInstallation(installationId);
      break;
    case 3:
      if (random.chance(0.3)) loseOne(both, random);
      break;
    default:
      putInstallation(both, random);
  }
}

test.for([false, true])('a simulated hub holds what the emulated one does (trap of unchanged PUTs: %s)', (hasTrap) => {
  for (let seed = 0; seed < 60; seed += 1) {
    const random = randomOf(seed, 'acts');
    const both = openBoth(random, hasTrap);
    for (let count = 0; count < 40; count += 1) {
      act(both, random);
      const ours = both.store.rows().map((row) => shown(xmlOf(row)));
      expect(ours.sort(), `seed ${seed}, act ${count}`).toEqual(both.emulatedXml().map(shown).sort());
    }
  }
});
