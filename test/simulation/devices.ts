import type { HubStore } from './hub-store.ts';
import type { Knobs } from './knobs.ts';
import type { Random } from './random.ts';
import type { Description, Writer } from './row.ts';
import type { Scheduler } from './scheduler.ts';
import type { Content, Truth, Word } from './truth.ts';

export interface DeviceParts {
  readonly scheduler: Scheduler;
  readonly random: Random;
  readonly knobs: Knobs;
  readonly truth: Truth;
  readonly trace: (line: () => string) => void;
  readonly sometimes: (what: string) => void;
}

/** One app on one phone, and the backend that speaks for it. */
interface Device {
  readonly number: number;
  /** The hub its app or backend is configured with. */
  hub: HubStore;
  content: Content | undefined;
  /** Registration ids its backend keeps: of the native row, of the template row, of a twin. */
  readonly ids: string[];
  /** It keeps ids; else it looks its rows up by handle. */
  readonly keepsIds: boolean;
  readonly hasTwin: boolean;
  readonly isFull: boolean;
  /** Of what it registers; absent: never. */
  readonly lifetimeMs: number | undefined;
}

const DAY_MS = 86_400_000;

/** All devices: each speaks at the hub it knows, by installation or by plain registrations. */
export class Devices {
  readonly #parts: DeviceParts;
  readonly #devices: Device[] = [];
  #tokenCount = 0;

  constructor(parts: DeviceParts) {
    this.#parts = parts;
  }

  /** A new device registers. */
  add(hub: HubStore): void {
    const { random, knobs } = this.#parts;
    const device: Device = {
      number: this.#devices.length,
      hub,
      content: undefined,
      ids: [],
      keepsIds: random.chance(0.7),
      hasTwin: random.chance(knobs.twinShare),
      isFull: random.chance(knobs.fullShare),
      lifetimeMs: random.chance(0.15) ? 30 * DAY_MS : undefined,
    };
    this.#devices.push(device);
    this.#register(device, random.chance(knobs.plainShare));
  }

  get count(): number {
    return this.#devices.length;
  }

  /** A share of a hub's devices is unregistered. */
  leave(hub: HubStore, share: number): void {
    for (const device of this.#devices) {
      if (device.hub === hub && device.content !== undefined && this.#parts.random.chance(share))
        this.#leave(device, device.content);
    }
  }

  /** All devices, or a share of them, are sent to another hub. */
  moveTo(hub: HubStore, share = 1): void {
    for (const device of this.#devices) if (this.#parts.random.chance(share)) device.hub = hub;
  }

  /** Devices that register for a limited time do so again before it ends. */
  renewAll(): void {
    for (const device of this.#devices) {
      if (device.lifetimeMs !== undefined && device.content !== undefined) this.#renew(device, device.content);
    }
  }

  /** Some device does something, now. */
  act(): void {
    const { random } = this.#parts;
    const device = random.pickAny(this.#devices);
    if (device === undefined) return;
    if (random.chance(0.12)) {
      this.add(device.hub);
      return;
    }
    const { content } = device;
    if (content !== undefined) this.#change(device, content);
    else if (random.chance(0.4)) this.#register(device, random.chance(0.5));
  }

  /** The device a listing has just shown last does something, and rows move on to the next page, or back. */
  actAround(hub: HubStore, handle: string | undefined): void {
    const { random } = this.#parts;
    const device = this.#devices.find((one) => one.hub === hub && one.content?.handle === handle);
    if (device?.content === undefined) {
      this.act();
      return;
    }
    if (random.chance(0.5)) this.#refresh(device, device.content);
    else this.#change(device, device.content);
    if (random.chance(0.5)) this.add(hub);
    else this.#leaveAny(hub);
  }

  #leaveAny(hub: HubStore): void {
    const device = this.#parts.random.pickAny(this.#devices.filter((one) => one.hub === hub && one.content));
    if (device?.content !== undefined) this.#leave(device, device.content);
  }

  #change(device: Device, content: Content): void {
    const { random } = this.#parts;
    const lot = random.below(100);
    if (lot < 35) this.#speak(device, { ...content, number: this.#newContent() });
    else if (lot < 55) this.#refresh(device, content);
    else if (lot < 70) this.#renew(device, content);
    else if (lot < 90) this.#leave(device, content);
    else if (content.installationId === undefined) this.#upgrade(device, content);
    else this.#speak(device, { ...content, number: this.#newContent(), body: this.#newBody(content.body) });
  }

  #register(device: Device, isPlain: boolean): void {
    const { random } = this.#parts;
    const number = this.#newContent();
    const platform = random.pick(['Apple', 'FcmV1'] as const);
    const installationId = isPlain ? undefined : `device-${device.number}`;
    const body = random.chance(isPlain ? 0.25 : 0.5) ? '{}' : undefined;
    const content = { number, platform, handle: this.#newHandle(), tags: [], body, installationId };
    this.#speak(device, content);
  }

  /** The push service gave it another token: it goes under the same ids. */
  #refresh(device: Device, content: Content): void {
    this.#parts.sometimes('tokenRefreshed');
    this.#speak(device, { ...content, number: this.#newContent(), handle: this.#newHandle() });
  }

  /** The same again: mobile libraries do so on each start. */
  #renew(device: Device, content: Content): void {
    this.#parts.sometimes('renewed');
    this.#speak(device, content);
  }

  /** The app's new version uses installations; it takes its plain registrations away. */
  #upgrade(device: Device, content: Content): void {
    this.#parts.sometimes('upgraded');
    this.#removePlain(device, content, this.#writer(this.#say(device, 'out')));
    this.#speak(device, { ...content, number: this.#newContent(), installationId: `device-${device.number}` });
  }

  #leave(device: Device, content: Content): void {
    const by = this.#writer(this.#say(device, 'out'));
    this.#parts.trace(() => `DEVICE ${device.number} leaves ${device.hub.name}`);
    if (content.installationId === undefined) this.#removePlain(device, content, by);
    else device.hub.deleteInstallation(content.installationId, by);
    device.content = undefined;
  }

  #speak(device: Device, given: Content): void {
    const isSame = given.number === device.content?.number;
    const body = given.body === undefined ? undefined : `{"c":"${given.number}"}`;
    const content = isSame ? given : { ...given, tags: tagsOf(given.number, device), body };
    const by = this.#writer(this.#say(device, content));
    this.#parts.trace(
      () => `DEVICE ${device.number} speaks at ${device.hub.name}: c${content.number} ${content.handle}`,
    );
    device.content = content;
    const expiresAt = device.lifetimeMs === undefined ? undefined : this.#parts.scheduler.now + device.lifetimeMs;
    const { installationId } = content;
    if (installationId !== undefined) device.hub.putInstallation({ ...content, installationId, expiresAt }, by);
    else this.#putPlain(device, content, by);
  }

  /** Each of its registrations under its own id, or under the one that its handle has there. */
  #putPlain(device: Device, content: Content, by: Writer): void {
    const { hub, keepsIds } = device;
    const native = { ...content, body: undefined };
    const wanted: Description[] = [native];
    if (content.body !== undefined) wanted.push(content);
    if (device.hasTwin) wanted.push(native);
    const there = keepsIds ? [] : hub.rowsOfHandle(content.handle).filter((row) => row.installationId === undefined);
    for (const [at, description] of wanted.entries()) {
      const known = keepsIds ? device.ids[at] : (there[at]?.id ?? device.ids[at]);
      // It writes over no row that it has just written.
      const isFree = known !== undefined && !device.ids.slice(0, at).includes(known);
      const id = isFree ? known : hub.mintId();
      const isWritten = hub.putRegistration(id, description, by) === 'written';
      const written = isWritten ? id : hub.mintId();
      if (!isWritten) {
        this.#parts.sometimes('deviceIdRefused');
        // As the documentation asks: under a new id, and what else its handle has goes.
        for (const row of hub.rowsOfHandle(content.handle)) {
          if (row.installationId === undefined && !device.ids.slice(0, at).includes(row.id))
            hub.deleteRegistration(row.id, undefined, by);
        }
        hub.putRegistration(written, description, by);
      }
      device.ids[at] = written;
    }
    for (const row of there.slice(wanted.length)) hub.deleteRegistration(row.id, undefined, by);
  }

  #removePlain(device: Device, content: Content, by: Writer): void {
    const { hub } = device;
    const own = device.keepsIds ? device.ids : [];
    const byHandle = hub.rowsOfHandle(content.handle).filter((row) => row.installationId === undefined);
    for (const id of new Set([...own, ...byHandle.map((row) => row.id)])) hub.deleteRegistration(id, undefined, by);
    device.ids.length = 0;
  }

  #say(device: Device, content: Content | 'out'): Word {
    const { truth, scheduler } = this.#parts;
    return truth.say({ device: device.number, hub: device.hub.name, at: scheduler.now, content });
  }

  #writer(word: Word): Writer {
    return { kind: 'device', word: word.number };
  }

  #newContent(): number {
    return this.#parts.truth.newContentNumber();
  }

  /** A template, or none any more; what it says is the content's. */
  #newBody(body: string | undefined): string | undefined {
    return body === undefined || this.#parts.random.chance(0.6) ? '{}' : undefined;
  }

  /** Upper case hexadecimal, as the service shows Apple's. */
  #newHandle(): string {
    this.#tokenCount += 1;
    const random = this.#parts.random.below(0x1000000);
    return `${random.toString(16).padStart(6, '0')}${this.#tokenCount.toString(16).padStart(6, '0')}`.toUpperCase();
  }
}

const MOST_TAGS = 60;

/** The first names the content, so that the oracle knows it anywhere. */
function tagsOf(content: number, { number, isFull }: Device): string[] {
  const tags = [`c${content}`, `d${number}`, 'z-news'];
  for (let count = tags.length; isFull && count < MOST_TAGS; count += 1) tags.push(`t${count}`);
  return tags;
}
