import { Hub } from './hub.ts';
import type { JobFiles } from './job-files.ts';
import { type Random, uuid } from './random.ts';
import { type AccessRule, makeRule } from './sas.ts';
import type { Push } from './sends.ts';
import type { HubSwitches } from './switches.ts';
import { realWorld, type World } from './world.ts';

/** Devices a tier allows in a namespace, from the vendor's FAQ; a number sets the limit itself. */
export type Tier = 'Free' | 'Basic' | 'Standard' | number;

const deviceLimits = { Free: 500, Basic: 200_000, Standard: 10_000_000 } as const;

export interface NamespaceSurroundings {
  readonly tier?: Tier | undefined;
  /** The push services behind all hubs. */
  readonly push?: (hub: Hub, push: Push) => void;
  readonly world?: World | undefined;
  /** What jobs read and write. */
  readonly files?: JobFiles | undefined;
}

/** Hubs and access policies of one namespace. Knows no HTTP. */
export class Namespace {
  readonly name: string;
  readonly deviceLimit: number;
  readonly hubs = new Map<string, Hub>();
  readonly world: World;
  readonly #push: (hub: Hub, push: Push) => void;
  readonly #random: Random;
  readonly #files: JobFiles | undefined;
  #keyRound = 0;

  constructor(name: string, surroundings: NamespaceSurroundings = {}) {
    const { tier = 'Standard', push = () => {}, world = realWorld, files } = surroundings;
    this.name = name;
    this.world = world;
    this.#push = push;
    this.#files = files;
    this.#random = world.random(`${name}#uuids`);
    this.deviceLimit = typeof tier === 'number' ? tier : deviceLimits[tier];
  }

  /** Unique handles, summed over the hubs. */
  get deviceCount(): number {
    return [...this.hubs.values()].reduce((sum, hub) => sum + hub.deviceCount, 0);
  }

  /** Time and tracking id of an answer. */
  stamp(): { readonly at: Date; readonly uuid: string } {
    return { at: new Date(this.world.now()), uuid: uuid(this.#random) };
  }

  /** Hub names compare without regard to case. */
  hub(name: string): Hub | undefined {
    return this.hubs.get(name.toLowerCase());
  }

  addHub(name: string, switches: Partial<HubSwitches> = {}): Hub {
    const hub: Hub = new Hub(name, `${this.name}/${name}`, {
      world: this.world,
      switches,
      hasRoom: () => this.deviceCount < this.deviceLimit,
      push: (push) => this.#push(hub, push),
      files: this.#files,
    });
    this.hubs.set(name.toLowerCase(), hub);
    return hub;
  }

  removeHub(name: string): boolean {
    return this.hubs.delete(name.toLowerCase());
  }

  rules(): AccessRule[] {
    return [makeRule(this.name, 'RootManageSharedAccessKey', ['Listen', 'Manage', 'Send'], this.#keyRound)];
  }

  hubRules(hubName: string): AccessRule[] {
    const scope = `${this.name}/${hubName.toLowerCase()}`;
    return [
      makeRule(scope, 'DefaultListenSharedAccessSignature', ['Listen'], this.#keyRound),
      makeRule(scope, 'DefaultFullSharedAccessSignature', ['Listen', 'Manage', 'Send'], this.#keyRound),
    ];
  }

  /** Both keys of every rule change: strings handed out before fail with 401. */
  rotateKeys(): void {
    this.#keyRound += 1;
  }
}
