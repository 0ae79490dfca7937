import type { Device, DeviceState } from '../../core/dual/intent.ts';
import { DrError } from '../../core/errors.ts';
import { fullNameOf, intentName, otherIdsName } from '../../core/paths.ts';
import type { CallOptions, Hub, WriteOutcome } from '../../core/ports.ts';
import { expiryMsOf } from '../../core/registration/expiry.ts';
import { withVariedExpiry } from '../../core/registration/installation.ts';
import { installationIdOf, parseRegistration, withId } from '../../core/registration/registration.ts';
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

/** What became of a call. `isLanding`: it failed, or was repeated, so that it may take effect later. */
export type Sent = { readonly isLanding: boolean } & (
  | { readonly kind: 'taken' }
  | { readonly kind: 'refused'; readonly status: number }
  | { readonly kind: 'failed'; readonly error: DrError }
);

/** Brings a device of one hub into a state; `isAgain`: it may have been sent before. Never throws a `DrError`. */
export function send(
  app: Pick<App, 'blobs' | 'world'>,
  hub: DualHub,
  device: Device,
  state: DeviceState,
  { isAgain = false, ...options }: CallOptions & { readonly isAgain?: boolean },
): Promise<Sent> {
  return asSent(async (onRepeated) => {
    const call = { ...options, onRepeated };
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
export async function asSent(work: (onRepeated: () => void) => Promise<WriteOutcome>): Promise<Sent> {
  let isLanding = false;
  const onRepeated = (): void => {
    isLanding = true;
  };
  try {
    const outcome = await work(onRepeated);
    if (outcome.kind === 'written') return { kind: 'taken', isLanding };
    return { kind: 'refused', isLanding, status: outcome.kind === 'changed' ? 404 : outcome.status };
  } catch (error) {
    if (!(error instanceof DrError)) throw error;
    return { kind: 'failed', error, isLanding: isLanding || (error.retryable && !error.hasNoEffect) };
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
    const row = await findUnclaimed(app, hub, device, xml, call);
    const id = row ?? (await hub.createRegistrationId(call));
    if (!(await claim(app, device, id))) continue;
    const ids = { ...found?.value.ids, [hubName]: id };
    await documents.otherIds.write(app, name, { ids }, { etag: found?.etag });
  }
}

/** A row that says whose it is no better than by its handle, and is no other device's as far as is known. */
async function findUnclaimed(
  app: Pick<App, 'blobs' | 'world'>,
  hub: DualHub,
  device: Device,
  xml: string,
  call: CallOptions,
): Promise<string | undefined> {
  const { handle, isTemplate, templateName } = parseRegistration(withId(xml, device.id));
  const rows = (await hub.findRows({ handle }, call)).map((row) => parseRegistration(toText(row)));
  const alike = rows.filter(
    (row) =>
      row.isTemplate === isTemplate && row.templateName === templateName && installationIdOf(row.tags) === undefined,
  );
  for (const { id } of alike) {
    const hash = hashOf({ kind: 'registration', id });
    const [claimed, intended] = await Promise.all([
      documents.otherIds.find(app, otherIdsName(hash)),
      app.blobs.get(intentName(hash), 'mayBeMissing'),
    ]);
    if (intended === undefined && (claimed === undefined || claimed.value.of === device.id)) return id;
  }
  return undefined;
}

/** Nothing takes the row of that id for another device's from then on. False: it is another device's. */
async function claim(app: Pick<App, 'blobs' | 'world'>, device: Device, id: string): Promise<boolean> {
  const name = otherIdsName(hashOf({ kind: 'registration', id }));
  const etag = await documents.otherIds.write(app, name, { ids: {}, of: device.id }, 'new');
  return etag !== 'conflict' || (await documents.otherIds.find(app, name))?.value.of === device.id;
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
