import { makeCertificate } from '../../local/certificate.ts';
import { type Emulator, type EmulatorOptions, startEmulator } from '../../local/hub-lab/index.ts';
import { startBackup } from '../../src/app/backup/start.ts';
import { readBackupView } from '../../src/app/backup/view.ts';
import { startRestore } from '../../src/app/restore/start.ts';
import { readRestoreView } from '../../src/app/restore/view.ts';
import { parseRestoreRequest } from '../../src/core/request/restore.ts';
import { parseHubConnection } from '../../src/hub/access/connection-string.ts';
import type { HubClient } from '../../src/hub/client.ts';
import { createHub } from '../../src/hub/client.ts';
import { Limiter } from '../../src/hub/pace/limiter.ts';
import { realWorld } from '../../src/world.ts';
import { byIdentity } from '../support/by-identity.ts';
import { createEngine, type Engine } from '../support/engine.ts';

/** The engine with the app's own hub clients before an emulator, on the real clock; storage and queue are in memory. */
export interface HubRig extends AsyncDisposable {
  readonly engine: Engine;
  readonly emulator: Emulator;
  backUp(): Promise<Awaited<ReturnType<typeof readBackupView>>>;
  restore(body?: object): Promise<Awaited<ReturnType<typeof readRestoreView>>>;
  /** Other clients in place of those so far, which know nothing yet: as a process that has just started. */
  restart(): void;
  /** What devices would notice of a hub: each row without its id. */
  contentOf(namespace: 'primary' | 'secondary'): string[];
}

export interface HubRigOptions {
  readonly devices: number;
  readonly namespaces?: EmulatorOptions['namespaces'];
  readonly requestTimeoutMs?: number;
  /** All that waits in the app and its clients waits this part of its time. */
  readonly hurry?: number;
  /** In place of `namespaces`. */
  readonly isTls?: boolean;
  /** The clients know resource ids alone, and read their keys from the emulated Resource Manager. */
  readonly isByIdentity?: boolean;
}

export async function openHubRig({
  devices,
  namespaces,
  requestTimeoutMs,
  hurry = 1,
  isTls = false,
  isByIdentity = false,
}: HubRigOptions): Promise<HubRig> {
  await using parts = new AsyncDisposableStack();
  const tls = isTls ? await makeCertificate() : undefined;
  const overTls = ['primary', 'secondary'].map((name) => ({ name, hubs: ['devices'], tls }));
  const own = tls === undefined ? namespaces : overTls;
  const emulator = parts.use(await startEmulator(own === undefined ? {} : { namespaces: own }));
  const world = { ...realWorld, sleep: (milliseconds: number) => realWorld.sleep(milliseconds / hurry) };
  emulator.hub('primary', 'devices').seed({ devices, seed: 7 });
  const create = (name: 'primary' | 'secondary'): HubClient =>
    createHub({
      ...(isByIdentity
        ? byIdentity(emulator, name)
        : { connection: parseHubConnection(emulator.namespace(name).connectionString(), 'devices', name) }),
      limiter: new Limiter({ maxConcurrency: 16, clock: world }),
      clock: world,
      random: Math.random,
      rowPatienceMs: hurry === 1 ? 300_000 : 0,
      ...(requestTimeoutMs === undefined ? {} : { requestTimeoutMs }),
      ...(tls === undefined ? {} : { trustedCertificate: tls.cert }),
    });
  const open = (name: 'primary' | 'secondary') => parts.adopt(create(name), (hub) => hub.close());
  const first = { primary: open('primary'), secondary: open('secondary'), world };
  let engine = createEngine({
    refs: { primary: first.primary.ref, secondary: first.secondary.ref },
    wrap: () => first,
    policy: { stepBudgetMs: 5000 },
  });
  const keep = parts.move();
  const openLater = (name: 'primary' | 'secondary') => keep.adopt(create(name), (hub) => hub.close());
  return {
    get engine() {
      return engine;
    },
    emulator,
    async backUp() {
      const { id } = await startBackup(engine.app, 'http');
      await engine.drain();
      return readBackupView(engine.app, id);
    },
    async restore(body = {}) {
      const { run } = await startRestore(engine.app, parseRestoreRequest(JSON.stringify(body)));
      await engine.drain();
      return readRestoreView(engine.app, run.id);
    },
    restart() {
      const next = { primary: openLater('primary'), secondary: openLater('secondary'), world };
      engine = engine.fork(() => next);
    },
    contentOf: (namespace) =>
      [...emulator.hub(namespace, 'devices').registrations()]
        .map(({ platform, isTemplate, templateName, handle, tags }) =>
          JSON.stringify([platform, isTemplate, templateName, handle, tags]),
        )
        .sort(),
    [Symbol.asyncDispose]: () => keep.disposeAsync(),
  };
}
