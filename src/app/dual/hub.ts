import type { Device, DeviceState } from '../../core/dual/intent.ts';
import { DrError } from '../../core/errors.ts';
import { fullNameOf, intentName, otherIdsName } from '../../core/paths.ts';
import type { CallOptions, Hub, WriteOutcome } from '../../core/ports.ts';
import { expiryMsOf } from '../../core/registration/expiry.ts';
import { withVariedExpiry } from '../../core/registration/installation.ts';
import {
  installationIdOf,
  parseRegistration,
  type Registration,
  withId,
} from '../../core/registration/registration.ts';
import type { App } from '../app.ts';
import { toText } from '../stored/codec.ts';
import { documents } from '../stored/documents.ts';
import { hashOf } from './intents.ts';

/** What writing devices needs of a hub. */
export type DualHub = Pick<
  Hub,
  | 'ref'
  | 'createRegistrationId'
  | 'deleteInstallation'
  | 'deleteRegistration'
  | 'findInstallation'
  | 'findRegistration'
  | 'findRows'
  | 'patchInstallation'
  | 'putInstallation'
  | 'putRegistration'
>;

/** What became of a call. One that failed may be `landing`: still on its way, and take effect later. */
export type Sent =
  | { readonly kind: 'taken' }
  | { readonly kind: 'refused'; readonly status: number }
  | { readonly kind: 'failed'; readonly error: DrError; readonly isLanding: boolean };

/** Brings a device of one hub into a state; `isAgain`: it may have been sent before. Never throws a `DrError`. */
export function send(
  app: Pick<App, 'blobs' | 'world'>,
  hub: DualHub,
  device: Device,
  state: DeviceState,
  { isAgain = false, ...call }: CallOptions & { readonly isAgain?: boolean },
): Promise<Sent> {
  return asSent(async () => {
    const { kind, id } = device;
    if (state.kind === 'put') {
      const put = kind === 'installation' ? (isAgain ? putInstallationAgain : putInstallation) : putRegistration;
      const outcome = await put(hub, id, state.body, call);
      return outcome.kind === 'idRefused' && kind === 'registration'
        ? putUnderOtherId(app, hub, device, state.body, call)
        : outcome;
    }
    if (state.kind === 'patch') return hub.patchInstallation(id, JSON.stringify(state.operations), call);
    if (kind === 'installation') await hub.deleteInstallation(id, call);
    else await deleteRegistration(app, hub, device, call);
    return { kind: 'written' };
  });
}

type Put = (hub: DualHub, id: string, body: string, call: CallOptions) => Promise<WriteOutcome>;

const putRegistration: Put = (hub, id, body, call) => hub.putRegistration(id, body, call);
const putInstallation: Put = (hub, id, body, call) => hub.putInstallation(id, body, call);

/** A PUT may be ignored that is identical to the last one before the installation was deleted: another one comes first. */
const putInstallationAgain: Put = async (hub, id, body, call) => {
  const { expirationTime, ...whole } = JSON.parse(body);
  const expires = expiryMsOf(String(expirationTime)) === undefined ? undefined : expirationTime;
  const varied = JSON.stringify(withVariedExpiry({ ...whole, expirationTime: expires }));
  const outcome = await hub.putInstallation(id, varied, call);
  return outcome.kind === 'written' ? hub.putInstallation(id, body, call) : outcome;
};

/** What a call gives or throws, as the library and the repair go by it. */
export async function asSent(work: () => Promise<WriteOutcome>): Promise<Sent> {
  try {
    const outcome = await work();
    if (outcome.kind === 'written') return { kind: 'taken' };
    return { kind: 'refused', status: outcome.kind === 'changed' ? 404 : outcome.status };
  } catch (error) {
    if (!(error instanceof DrError)) throw error;
    return { kind: 'failed', error, isLanding: error.retryable && !error.hasNoEffect };
  }
}

/** Under the id that the hub has for this device, or gives for it: stored before it is written to. */
async function putUnderOtherId(
  app: Pick<App, 'blobs' | 'world'>,
  hub: DualHub,
  device: Device,
  xml: string,
  call: CallOptions,
): Promise<WriteOutcome> {
  const name = otherIdsName(hashOf(device));
  const hubName = fullNameOf(hub.ref);
  for (;;) {
    requireTime(app, hub, call);
    const found = await documents.otherIds.find(app, name);
    const known = found?.value.ids[hubName];
    if (known !== undefined) return hub.putRegistration(known, xml, call);
    const row = await findUnclaimed(app, hub, parseRegistration(withId(xml, device.id)), call);
    const id = row ?? (await hub.createRegistrationId(call));
    const ids = { ...found?.value.ids, [hubName]: id };
    const etag = await documents.otherIds.write(app, name, { ids }, { etag: found?.etag });
    if (etag === 'conflict' || (await claim(app, hubName, id))) continue;
    await documents.otherIds.write(app, name, { ids: { ...found?.value.ids } }, { etag });
  }
}

/** A row that says whose it is no better than by its handle, and is no other device's as far as is known. */
async function findUnclaimed(
  app: Pick<App, 'blobs'>,
  hub: DualHub,
  { handle, isTemplate, templateName }: Registration,
  call: CallOptions,
): Promise<string | undefined> {
  const rows = (await hub.findRows({ handle }, call)).map((row) => parseRegistration(toText(row)));
  const alike = rows.filter(
    (row) =>
      row.isTemplate === isTemplate && row.templateName === templateName && installationIdOf(row.tags) === undefined,
  );
  for (const { id } of alike) {
    const hash = hashOf({ kind: 'registration', id });
    const names = [otherIdsName(hash), intentName(hash)];
    const known = await Promise.all(names.map((name) => app.blobs.get(name, 'mayBeMissing')));
    if (known.every((blob) => blob === undefined)) return id;
  }
  return undefined;
}

/** Nothing takes that row for another device's from then on. False: it is another device's. */
async function claim(app: Pick<App, 'blobs' | 'world'>, hub: string, id: string): Promise<boolean> {
  const name = otherIdsName(hashOf({ kind: 'registration', id }));
  return (await documents.otherIds.write(app, name, { ids: { [hub]: id } }, 'new')) !== 'conflict';
}

/** Whatever its version is: it is read and deleted until it is gone. */
async function deleteRegistration(
  app: Pick<App, 'blobs' | 'world'>,
  hub: DualHub,
  device: Device,
  call: CallOptions,
): Promise<void> {
  for (let id: string | undefined = device.id; id !== undefined; ) {
    requireTime(app, hub, call);
    const row = await hub.findRegistration(id, call);
    if (row !== undefined) {
      const { etag } = parseRegistration(toText(row));
      if ((await hub.deleteRegistration(id, etag, call)) === 'changed') continue;
      return;
    }
    const others: { readonly ids: Readonly<Record<string, string>> } | undefined =
      id === device.id ? (await documents.otherIds.find(app, otherIdsName(hashOf(device))))?.value : undefined;
    id = others?.ids[fullNameOf(hub.ref)];
  }
}

/** Others change the same device all the time. */
function requireTime({ world }: Pick<App, 'world'>, { ref }: DualHub, { deadlineAt }: CallOptions): void {
  if (world.now() < deadlineAt) return;
  throw new DrError('HubUnavailable', `Hub ${fullNameOf(ref)} did not answer in time.`, { retryable: true });
}
