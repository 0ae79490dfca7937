import { expect, it } from 'vitest';
import { toHubRequest } from '../../local/emulator/http-types.ts';
import { Hub } from '../../local/emulator/hub.ts';
import { parseInstallation } from '../../local/emulator/installation.ts';
import { Namespace } from '../../local/emulator/namespace.ts';
import { integer, seededRandom } from '../../local/emulator/random.ts';
import { answer } from '../../local/emulator/routes.ts';
import { toRowContent } from '../../local/emulator/row.ts';
import type { HubSwitches } from '../../local/emulator/switches.ts';
import { parseDescription } from '../../local/emulator/xml-in.ts';
import { anApple } from './hub-caller.ts';
import { sasHeader } from './sas-header.ts';
import { virtualWorld } from './virtual-world.ts';

const startAt = Date.parse('2026-11-28T00:00:00Z');

const wild: Partial<HubSwitches> = {
  listOrder: 'updated',
  shortPageShare: 0.3,
  emptyPageShare: 0.2,
  tokenOnLastPage: true,
  registrationReadLagMs: 700,
  oldRowListedMs: 1500,
  timeToLiveMs: 60_000,
  expiredStayMs: 1000,
  storesOtherwise: ['fewer-tags'],
  storesOtherwiseShare: 0.2,
  installationDelayMs: 1000,
  installationDelaySpreadMs: 20_000,
  installationOrder: 'drawn',
  unchangedInstallationRaisesEtag: true,
  requestsPerSecond: 20,
};

it('needs no HTTP: a hub, a world, and its operations', () => {
  const world = virtualWorld({ startAt });
  const hub = new Hub('devices', 'secondary/devices', { world, switches: { installationDelayMs: 1000 } });
  hub.putInstallation(parseInstallation('i', { platform: 'apns', pushChannel: 'aa', tags: ['a'] }));
  hub.putRegistration('1-2-3', contentOf(hub, anApple({ token: 'bb' })));
  expect(hub.listPage({ top: 10 }).rows.map(({ handle }) => handle)).toEqual(['BB']);
  world.advance(1000);
  const page = hub.listPage({ top: 1 });
  expect(page.nextToken).toBe('31(n);1');
  const next = hub.listPage({ top: 1, token: page.nextToken });
  expect([...page.rows, ...next.rows].map(({ handle }) => handle).sort()).toEqual(['AA', 'BB']);
  expect(hub.listPage({ tag: '$InstallationId:{i}' }).rows.map(({ handle }) => handle)).toEqual(['AA']);
});

it('is the same to the byte for the same seed and calls, whatever the clock on the wall', () => {
  const [first, again, other] = [1, 1, 2].map((seed) => traceOf(seed));
  expect(again).toEqual(first);
  expect(other).not.toEqual(first);
  expect(first?.length).toBeGreaterThan(500);
});

/** What a namespace answers to calls that are always the same, in a world of this seed. */
function traceOf(seed: number): string[] {
  const world = virtualWorld({ startAt, seed });
  const namespace = new Namespace('n', { world });
  const hub = namespace.addHub('h', wild);
  const authorization = sasHeader(connectionOf(namespace), { expiresInSeconds: 864_000 });
  const calls = seededRandom(5);
  const trace: string[] = [];
  let token: string | undefined;
  for (let n = 0; n < 500; n += 1) {
    const [method, path, body] = aCall(calls, token);
    const response = answer(namespace, toHubRequest(method, path, { authorization, host: 'n' }, body));
    token = response.headers?.['x-ms-continuationtoken'];
    trace.push(JSON.stringify([world.now(), method, path, response]));
    world.advance(integer(calls, 300));
  }
  hub.settle();
  trace.push(...[...hub.rows.values()].map((row) => JSON.stringify(row)));
  return trace;
}

function aCall(random: () => number, token: string | undefined): [method: string, path: string, body: string] {
  const n = integer(random, 20);
  const tags = `t${integer(random, 3)},u`;
  switch (integer(random, 6)) {
    case 0:
      return ['PUT', `/h/registrations/${n + 1}-1-1`, anApple({ token: `a${n}`, tags })];
    case 1:
      return ['POST', '/h/registrations', anApple({ token: `b${n}`, tags })];
    case 2:
      return ['DELETE', `/h/registrations/${n + 1}-1-1`, ''];
    case 3:
    case 4: {
      const installation = { platform: 'apns', pushChannel: `c${n}`, tags: tags.split(',') };
      return ['PUT', `/h/installations/i${n}`, JSON.stringify(installation)];
    }
    default:
      return ['GET', `/h/registrations?$top=7${token === undefined ? '' : `&continuationtoken=${token}`}`, ''];
  }
}

function contentOf(hub: Hub, xml: string) {
  return toRowContent(parseDescription(xml, hub.switches));
}

function connectionOf(namespace: Namespace): string {
  const [rule] = namespace.rules();
  return `Endpoint=http://n/;SharedAccessKeyName=${rule?.name};SharedAccessKey=${rule?.keys[0]}`;
}
