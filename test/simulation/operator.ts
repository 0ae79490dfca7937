import type { App } from '../../src/app/app.ts';
import type { Engine } from './engine.ts';
import type { KnownRun } from './oracle/runs.ts';
import type { Random } from './random.ts';
import type { Simulation } from './simulation.ts';

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;
const POLL_MS = 3000;
/** A run that takes longer than this is left to itself. */
const PATIENCE_MS = 90 * MINUTE_MS;
const TRIES = 6;

type Deed = readonly [weight: number, name: string, work: () => Promise<void>];

/** The people and timers around the app: they ask for runs, cancel, retry and roll back; and things happen to hubs. */
export class Operator {
  readonly #sim: Simulation;
  readonly #random: Random;
  #restoreCount = 0;

  constructor(sim: Simulation, random: Random) {
    this.#sim = sim;
    this.#random = random;
  }

  async work(): Promise<void> {
    const { devices, settings, knobs } = this.#sim;
    for (let count = 0; count < knobs.deviceCount; count += 1) devices.add(settings.primary);
    await this.#rest(3);
    await this.#backUp();
    const deedCount = this.#random.between(2, 6);
    for (let count = 0; count < deedCount; count += 1) {
      await this.#rest(this.#random.pick([0, 1, 3, 20]));
      await this.#doAny();
    }
  }

  async #doAny(): Promise<void> {
    const deeds: readonly Deed[] = [
      [18, 'backup', () => this.#backUp()],
      [22, 'churn', () => this.#churnAndBackUp()],
      [30, 'restore', () => this.#restore({})],
      [6, 'dryRun', () => this.#restore({ dryRun: true })],
      [6, 'older', () => this.#restoreOlder()],
      [5, 'only', () => this.#restore({ only: { platforms: ['Apple'] } })],
      [10, 'cancel', () => this.#restoreAndCancel()],
      [16, 'rollback', () => this.#rollBack()],
      [8, 'retry', () => this.#retry()],
      [8, 'drill', () => this.#drill()],
      [8, 'failover', () => this.#failOver()],
      [4, 'repair', () => this.#repair()],
      [3, 'wipe', () => this.#wipe()],
      [3, 'days', () => this.#letDaysPass()],
    ];
    let lot = this.#random.below(deeds.reduce((sum, [weight]) => sum + weight, 0));
    for (const [weight, name, work] of deeds) {
      lot -= weight;
      if (lot >= 0) continue;
      this.#sim.trace(() => `OPERATOR ${name}`);
      this.#sim.sometimes(`operator ${name}`);
      return work();
    }
  }

  async #rest(minutes: number): Promise<void> {
    if (minutes > 0) await this.#sim.scheduler.sleep(this.#random.below(minutes * MINUTE_MS));
  }

  async #backUp(): Promise<void> {
    const since = this.#sim.scheduler.now;
    await this.#ask('backup', (app, engine) => engine.startBackup(app, 'timer'));
    const run = this.#runs().findLast(({ doc }) => doc.kind === 'backup' && Date.parse(doc.createdAt) >= since - 1);
    if (run !== undefined) await this.#untilOver(run.id);
  }

  async #churnAndBackUp(): Promise<void> {
    const { devices } = this.#sim;
    for (let count = this.#random.between(1, 12); count > 0; count -= 1) {
      devices.act();
      if (this.#random.chance(0.3)) await this.#rest(1);
    }
    await this.#rest(2);
    await this.#backUp();
  }

  /** The id of the run, whether it began or not. */
  async #begin(body: object): Promise<string> {
    this.#restoreCount += 1;
    const id = `restore-${this.#restoreCount}`;
    const text = JSON.stringify(body);
    await this.#ask(`restore ${text}`, (app, engine) =>
      engine.startRestore(app, engine.parseRestoreRequest(text), { id }),
    );
    return id;
  }

  async #restore(body: object): Promise<void> {
    const id = await this.#begin(body);
    if (this.#random.chance(0.3)) this.#sim.devices.act();
    if (this.#random.chance(0.15)) await this.#backUp();
    await this.#untilOver(id);
  }

  async #restoreOlder(): Promise<void> {
    const backups = this.#runs().filter(
      ({ doc }) =>
        doc.kind === 'backup' && doc.status === 'Succeeded' && doc.hub.namespace === this.#sim.settings.primary.name,
    );
    const snapshot = this.#random.pickAny(backups)?.id;
    await this.#restore(snapshot === undefined ? {} : { snapshot });
  }

  async #restoreAndCancel(): Promise<void> {
    const id = await this.#begin({});
    await this.#sim.scheduler.sleep(this.#random.spread(100, 120_000));
    await this.#ask(`cancel ${id}`, (app, engine) => engine.cancelRestore(app, id));
    await this.#untilOver(id);
    const next = this.#random.below(4);
    if (next === 0) await this.#rollBack(id);
    if (next === 1) await this.#restore({});
    if (next === 2) await this.#retry(id);
  }

  async #rollBack(id = this.#anyRestore()): Promise<void> {
    if (id === undefined) return;
    const since = this.#sim.scheduler.now;
    const target = this.#sim.oracle.runs.get(id)?.doc.hub;
    const text = JSON.stringify({ confirm: target?.hub });
    await this.#ask(`rollback ${id}`, (app, engine) =>
      engine.startRollback(app, id, engine.parseRollbackRequest(text)),
    );
    await this.#untilLatestOver(since);
  }

  async #retry(id = this.#anyRestore()): Promise<void> {
    if (id === undefined) return;
    const since = this.#sim.scheduler.now;
    await this.#ask(`retry ${id}`, (app, engine) => engine.startRetry(app, id));
    await this.#untilLatestOver(since);
  }

  async #drill(): Promise<void> {
    this.#sim.hasDrill = true;
    await this.#ask('drill', (app, engine) => engine.startDrill(app, 'http'));
    await this.#sim.scheduler.sleep(this.#random.spread(MINUTE_MS, 15 * MINUTE_MS));
  }

  /** Devices are sent to the secondary, and later the settings say so. */
  async #failOver(): Promise<void> {
    const { devices, settings } = this.#sim;
    const isBefore = this.#random.chance(0.3);
    if (isBefore) devices.moveTo(settings.secondary, 0.5);
    await this.#restore({});
    devices.moveTo(settings.secondary, this.#random.pick([1, 1, 0.8]));
    for (let count = this.#random.between(1, 8); count > 0; count -= 1) {
      devices.act();
      if (this.#random.chance(0.4)) await this.#rest(3);
    }
    if (this.#random.chance(0.25)) return this.#restore({});
    await this.#quiet();
    this.#sim.exchangeHubs();
    devices.moveTo(settings.primary);
    await this.#rest(3);
    await this.#churnAndBackUp();
  }

  async #repair(): Promise<void> {
    const { primary } = this.#sim.settings;
    for (const row of primary.rows()) if (this.#random.chance(0.3)) primary.lose(row.id);
    await this.#restore({ target: 'primary', confirm: 'devices' });
  }

  async #letDaysPass(): Promise<void> {
    this.#sim.isQuiet = true;
    await this.#sim.scheduler.sleep(this.#random.between(1, 40) * DAY_MS);
    this.#sim.isQuiet = false;
  }

  async #wipe(): Promise<void> {
    this.#sim.settings.secondary.wipe();
    await this.#restore({});
  }

  #runs(): KnownRun[] {
    return this.#sim.oracle.runs.all();
  }

  #anyRestore(): string | undefined {
    const restores = this.#runs().filter(({ doc }) => doc.kind === 'restore' && doc.requestedBy === 'http');
    return this.#random.chance(0.7) ? restores.at(-1)?.id : this.#random.pickAny(restores)?.id;
  }

  async #untilLatestOver(since: number): Promise<void> {
    const run = this.#runs().findLast(({ doc }) => doc.kind === 'restore' && Date.parse(doc.createdAt) >= since - 1);
    if (run !== undefined) await this.#untilOver(run.id);
  }

  async #untilOver(id: string): Promise<void> {
    const { scheduler, oracle } = this.#sim;
    const until = scheduler.now + PATIENCE_MS;
    while (scheduler.now < until) {
      const run = oracle.runs.get(id);
      if (run === undefined || run.endedAt !== undefined) return;
      await scheduler.sleep(POLL_MS);
    }
  }

  /** No run is under way. */
  async #quiet(): Promise<void> {
    for (const { id, endedAt } of this.#runs()) if (endedAt === undefined) await this.#untilOver(id);
  }

  /** As a person does: what may pass is asked for again, what died, too. */
  async #ask<T>(label: string, work: (app: App, engine: Engine) => Promise<T>): Promise<void> {
    const { scheduler, engine, trace } = this.#sim;
    for (let tries = 1; tries <= TRIES; tries += 1) {
      const { host } = this.#sim;
      trace(() => `ASK ${label} ${host?.name ?? 'nobody'}`);
      try {
        await host?.ask(work);
        if (host !== undefined) return;
      } catch (error) {
        const mayPass = this.#sim.isDeath(error) || (error instanceof engine.DrError && error.retryable);
        const code = error instanceof engine.DrError ? error.code : 'Died';
        trace(() => `ANSWER ${label}: ${code}`);
        this.#sim.sometimes(`answered ${code}`);
        if (!mayPass && code === 'Died') this.#sim.oracle.violate('appThrew', `${label} ${String(error)}`);
        if (!mayPass) return;
      }
      await scheduler.sleep(10_000);
    }
  }
}
