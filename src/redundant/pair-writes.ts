import type { DualHub } from '../app/dual/hub.ts';
import type { Storage } from '../app/dual/intents.ts';
import { toText } from '../app/stored/codec.ts';
import type { Device, DeviceState } from '../core/dual/intent.ts';
import { type Operation, operationSchema } from '../core/dual/patch.ts';
import { isSameHub } from '../core/paths.ts';
import type { Log } from '../core/ports.ts';
import { installationKey, keyHashOf, recordKey } from '../core/registration/record.ts';
import { parseRegistration, withId } from '../core/registration/registration.ts';
import type { Role } from '../core/run/role.ts';
import { DualWriter } from './dual-writer.ts';
import { RedundantHubError } from './error.ts';
import type { Written } from './options.ts';
import { activeOf, watchRole } from './role.ts';

export interface PairParts extends Storage {
  readonly log: Log;
  readonly hubs: readonly [primary: DualHub, secondary: DualHub];
  readonly waitForOtherMs: number;
}

/** What is asked of the hub before a registration is deleted there may take this long. */
const LOOK_MS = 1_000;

/** The writes of a backend as both hubs take them: bodies as they are sent, on ports alone. */
export class PairWrites {
  readonly #parts: PairParts;
  readonly #writer: DualWriter;
  /** Which hub is in use, as far as is known. */
  readonly role: () => Promise<Role>;

  constructor(parts: PairParts) {
    const [{ ref: primary }, { ref: secondary }] = parts.hubs;
    this.#parts = parts;
    this.role = watchRole(parts, { primary, secondary });
    this.#writer = new DualWriter({ ...parts, activeHub: activeOf(this.role) });
  }

  /** `json`: the whole installation. */
  async putInstallation(id: string | undefined, json: string): Promise<Written> {
    return this.#write('installation', idOf(id, 'installationId'), { kind: 'put', body: json });
  }

  /** JSON Patch over the service's paths. */
  async patchInstallation(id: string | undefined, patches: readonly unknown[]): Promise<Written> {
    return this.#write('installation', idOf(id, 'installationId'), {
      kind: 'patch',
      operations: parsePatches(patches),
    });
  }

  async deleteInstallation(id: string | undefined): Promise<Written> {
    return this.#write('installation', idOf(id, 'installationId'), { kind: 'delete' });
  }

  /** `xml`: the description, without id, ETag and expiry. */
  async putRegistration(id: string | undefined, xml: string): Promise<Written> {
    const checked = idOf(id, 'registrationId');
    const keyHash = hashOfDescription(xml, checked);
    return this.#write('registration', checked, { kind: 'put', body: xml }, keyHash);
  }

  async deleteRegistration(id: string | undefined): Promise<Written> {
    const checked = idOf(id, 'registrationId');
    return this.#write('registration', checked, { kind: 'delete' }, await this.#keyHashOf(checked));
  }

  close(): Promise<void> {
    return this.#writer.close();
  }

  #write(kind: Device['kind'], id: string, state: DeviceState, keyHash?: number) {
    const hash = kind === 'installation' ? keyHashOf(installationKey(id)) : keyHash;
    return this.#writer.write({ device: { kind, id }, state, keyHash: hash });
  }

  /** The key under which snapshots have the registration, where that can be known: what is deleted no longer says it. */
  async #keyHashOf(id: string): Promise<number | undefined> {
    const { hubs, world } = this.#parts;
    const role = await this.role().catch(() => undefined);
    const hub = role && hubs.find(({ ref }) => isSameHub(ref, role.active));
    const row = await hub?.findRegistration(id, { deadlineAt: world.now() + LOOK_MS }).catch(() => undefined);
    return row === undefined ? undefined : keyHashOf(recordKey(parseRegistration(toText(row))));
  }
}

function parsePatches(patches: readonly unknown[]): Operation[] {
  const operations = operationSchema.array().min(1).safeParse(patches);
  if (operations.success) return operations.data;
  const why = operations.error.issues.map(({ path, message }) => `${path.join('.')} ${message}`).join('; ');
  throw new RedundantHubError('BadRequest', `The patch cannot be used: ${why}.`);
}

function idOf(id: string | undefined, field: string): string {
  if (id !== undefined && id !== '') return id;
  throw new RedundantHubError('BadRequest', `${field} is missing: each device needs an id of its own.`);
}

function hashOfDescription(xml: string, id: string): number | undefined {
  try {
    return keyHashOf(recordKey(parseRegistration(withId(xml, id))));
  } catch {
    throw new RedundantHubError(
      'BadRequest',
      'The registration has no handle, or one of its fields is not of its form.',
    );
  }
}
