import type { Device, DeviceState } from '../../core/dual/intent.ts';
import { DrError } from '../../core/errors.ts';
import { fullNameOf, otherIdsName } from '../../core/paths.ts';
import type { CallOptions, Hub, WriteOutcome } from '../../core/ports.ts';
import { handleIn, parseRegistration } from '../../core/registration/registration.ts';
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
  | 'putInstallation'
  | 'putRegistration'
>;

/** What became of a call. One that failed may be `landing`: still on its way, and take effect later. */
export type Sent =
  | { readonly kind: 'taken' }
  | { readonly kind: 'refused'; readonly status: number }
  | { readonly kind: 'failed'; readonly error: DrError; readonly isLanding: boolean };

export type WholeState = Exclude<DeviceState, { readonly kind: 'patch' }>;

/** Brings a device of one hub into a state. Never throws a `DrError`. */
export function send(
  app: Pick<App, 'blobs' | 'world'>,
  hub: DualHub,
  device: Device,
  state: WholeState,
  call: CallOptions,
): Promise<Sent> {
  return asSent(async () => {
    const { kind, id } = device;
    if (state.kind === 'put') {
      const outcome =
        kind === 'installation'
          ? await hub.putInstallation(id, state.body, call)
          : await hub.putRegistration(id, state.body, call);
      return outcome.kind === 'idRefused' && kind === 'registration'
        ? putUnderOtherId(app, hub, device, state.body, call)
        : outcome;
    }
    if (kind === 'installation') await hub.deleteInstallation(id, call);
    else await deleteRegistration(app, hub, device, call);
    return { kind: 'written' };
  });
}

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
    const [row] = (await plainRows(hub, handleIn(xml), call)).map(({ id }) => id);
    const id = row ?? (await hub.createRegistrationId(call));
    const ids = { ...found?.value.ids, [hubName]: id };
    await documents.otherIds.write(app, name, { ids }, { etag: found?.etag });
  }
}

async function plainRows(hub: DualHub, handle: string, call: CallOptions) {
  const rows = (await hub.findRows({ handle }, call)).map((row) => parseRegistration(toText(row)));
  return rows.filter(({ tags }) => !tags.some((tag) => tag.startsWith('$InstallationId:')));
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
