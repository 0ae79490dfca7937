import { Asker } from './asker.ts';
import { MINUTE_MS } from './clocks.ts';
import { askAtTheEnd } from './last-questions.ts';
import type { KnownRun } from './oracle/runs.ts';
import type { Random } from './random.ts';
import { RequestOptions } from './request-options.ts';
import { roleDeedsOf } from './role-stories.ts';
import type { Stage } from './stage.ts';
import { beginLastNight, type Deed, intoItself, storiesOf, type Teller } from './stories.ts';
import { settle, syncDeedsOf } from './sync-stories.ts';

const DAY_MS = 24 * 60 * MINUTE_MS;

/** The people and timers around the app: they ask for runs, cancel, retry and roll back; and things happen to hubs. */
export class Operator {
  readonly #stage: Stage;
  readonly #random: Random;
  readonly #asker: Asker;
  readonly #options: RequestOptions;
  #restoreCount = 0;

  constructor(stage: Stage) {
    this.#stage = stage;
    this.#random = stage.random('operator');
    this.#asker = new Asker(stage, this.#random);
    this.#options = new RequestOptions(stage.random('options'));
  }

  async work(): Promise<void> {
    const { devices, primary, secondary, knobs } = this.#stage;
    for (let count = 0; count < knobs.deviceCount; count += 1) {
      devices.add(this.#random.chance(knobs.strayShare) ? secondary : primary);
    }
    await this.#asker.rest(3);
    await this.#backUp();
    const deedCount = this.#random.between(2, 6);
    for (let count = 0; count < deedCount; count += 1) {
      await this.#asker.rest(this.#random.pick([0, 1, 3, 20]));
      await this.#doAny();
    }
    if (this.#stage.night.onlyCoreHeals) await beginLastNight(this.#teller());
  }

  askAtTheEnd(): Promise<void> {
    return askAtTheEnd(this.#teller());
  }

  #deeds(): readonly Deed[] {
    return [
      [18, 'backup', () => this.#backUp()],
      [22, 'churn', () => this.#churnAndBackUp()],
      [30, 'restore', () => this.#restore({})],
      [6, 'dryRun', () => this.#restore({ dryRun: true })],
      [6, 'older', () => this.#restoreOlder()],
      [5, 'only', () => this.#restore({ only: { platforms: ['Apple'] } })],
      [14, 'cancel', () => this.#restoreAndCancel()],
      [16, 'rollback', () => this.#rollBack()],
      [8, 'retry', () => this.#retry()],
      [8, 'drill', () => this.#drill()],
      ...(this.#stage.night.hasSyncs ? syncDeedsOf(this.#teller()) : []),
      ...(this.#stage.night.hasRoles ? roleDeedsOf(this.#teller()) : [this.#exchange()]),
      [6, 'lateSettings', () => this.#restoreUnderDevices()],
      [4, 'repair', () => this.#repair()],
      [3, 'wipe', () => this.#wipe()],
      [3, 'tear', () => this.#tear()],
      [6, 'days', () => this.#letDaysPass()],
      ...(this.#options.isUsed ? storiesOf(this.#teller()) : []),
    ];
  }

  #teller(): Teller {
    const doings = {
      backUp: () => this.#backUp(),
      restore: (body: object) => this.#restore(body),
      restoreOlder: (body: object) => this.#restoreOlder(body),
      begin: (body: object) => this.#begin(body),
      rollBack: (id: string) => this.#rollBack(id),
      rollBackAny: () => this.#rollBack(),
      retry: (id: string) => this.#retry(id),
    };
    return { stage: this.#stage, asker: this.#asker, random: this.#random, doings };
  }

  async #doAny(): Promise<void> {
    const deeds = this.#deeds();
    let lot = this.#random.below(deeds.reduce((sum, [weight]) => sum + weight, 0));
    for (const [weight, name, work] of deeds) {
      lot -= weight;
      if (lot >= 0) continue;
      this.#stage.trace(() => `OPERATOR ${name}`);
      this.#stage.count(`operator ${name}`);
      await work();
      if (this.#stage.night.hasSyncs && this.#random.chance(0.5)) await settle(this.#teller());
      return;
    }
  }

  async #backUp(): Promise<void> {
    const since = this.#stage.scheduler.now;
    await this.#asker.ask('backup', (app, engine) => engine.startBackup(app, 'timer'));
    await this.#asker.untilNewestOver('backup', since);
  }

  async #churnAndBackUp(): Promise<void> {
    for (let count = this.#random.between(1, 12); count > 0; count -= 1) {
      this.#stage.devices.act();
      if (this.#random.chance(0.3)) await this.#asker.rest(1);
    }
    await this.#asker.rest(2);
    await this.#backUp();
  }

  /** The id of the run, whether it began or not. */
  async #begin(body: object): Promise<string> {
    this.#restoreCount += 1;
    const id = `restore-${this.#restoreCount}`;
    const request: { readonly confirm?: string } = { ...this.#options.draw(this.#stage.standby), ...body };
    const text = JSON.stringify(request);
    await this.#asker.ask(
      `restore ${text}`,
      (app, engine) => engine.startRestore(app, engine.parseRestoreRequest(text), { id }),
      request,
    );
    return id;
  }

  async #restore(body: object): Promise<void> {
    const id = await this.#begin(body);
    if (this.#random.chance(0.3)) this.#stage.devices.act();
    if (this.#random.chance(0.15)) await this.#backUp();
    await this.#asker.untilOver(id);
  }

  async #restoreOlder(body: object = {}): Promise<void> {
    const { inUse } = this.#stage;
    const isOurs = ({ doc }: KnownRun): boolean => doc.kind === 'backup' && doc.hub.namespace === inUse.name;
    const backups = this.#runs().filter((run) => isOurs(run) && run.doc.status === 'Succeeded');
    const snapshot = this.#random.pickAny(backups)?.id;
    await this.#restore(snapshot === undefined ? body : { ...body, snapshot });
  }

  async #restoreAndCancel(): Promise<void> {
    const { scheduler, oracle } = this.#stage;
    const id = await this.#begin({});
    if (this.#random.chance(0.5)) await scheduler.sleep(this.#random.spread(100, 120_000));
    else {
      const until = scheduler.now + 5 * MINUTE_MS;
      while (oracle.runs.get(id)?.written.size === 0 && scheduler.now < until) await scheduler.sleep(200);
    }
    await this.#asker.ask(`cancel ${id}`, (app, engine) => engine.cancelRestore(app, id));
    await this.#asker.untilOver(id);
    const next = this.#random.below(4);
    if (next === 0) await this.#rollBack(id);
    if (next === 1) await this.#restoreOlder();
    if (next === 2) await this.#retry(id);
  }

  async #rollBack(id = this.#anyRestore()): Promise<void> {
    if (id === undefined) return;
    const since = this.#stage.scheduler.now;
    const given = this.#confirmationOf(id);
    const text = JSON.stringify(given);
    await this.#asker.ask(
      `rollback ${id}`,
      (app, engine) => engine.startRollback(app, id, engine.parseRollbackRequest(text)),
      given,
    );
    await this.#asker.untilNewestOver('restore', since);
  }

  async #retry(id = this.#anyRestore()): Promise<void> {
    if (id === undefined) return;
    const since = this.#stage.scheduler.now;
    const given = this.#isNameTyped() ? this.#confirmationOf(id) : {};
    const text = JSON.stringify(given);
    await this.#asker.ask(
      `retry ${id}`,
      (app, engine) => engine.startRetry(app, id, engine.parseRetryRequest(text)),
      given,
    );
    await this.#asker.untilNewestOver('restore', since);
  }

  #confirmationOf(id: string): { readonly confirm: string } {
    const hub = this.#stage.oracle.runs.get(id)?.doc.hub;
    return { confirm: `${hub?.namespace}/${hub?.hub}` };
  }

  /** A retry into the standby needs no name. */
  #isNameTyped(): boolean {
    return !this.#stage.night.hasRoles || this.#random.chance(0.5);
  }

  async #drill(): Promise<void> {
    this.#stage.hasDrill = true;
    await this.#asker.ask('drill', (app, engine) => engine.startDrill(app, 'http'));
    await this.#stage.scheduler.sleep(this.#random.spread(MINUTE_MS, 15 * MINUTE_MS));
  }

  #exchange(): Deed {
    return [8, 'failover', () => this.#failOver()];
  }

  /** Devices are sent to the secondary, and later the settings say so. */
  async #failOver(): Promise<void> {
    const { devices, secondary } = this.#stage;
    if (this.#random.chance(0.3)) devices.moveTo(secondary, 0.5);
    await this.#restore({});
    devices.moveTo(secondary, this.#random.pick([1, 1, 0.8]));
    for (let count = this.#random.between(1, 8); count > 0; count -= 1) {
      devices.act();
      if (this.#random.chance(0.4)) await this.#asker.rest(3);
    }
    if (this.#random.chance(0.25)) return this.#restore({});
    for (const { id, endedAt } of this.#runs()) if (endedAt === undefined) await this.#asker.untilOver(id);
    this.#stage.exchangeHubs();
    devices.moveTo(this.#stage.primary);
    await this.#asker.rest(3);
    await this.#churnAndBackUp();
  }

  /** Devices speak at the secondary already, and restores into it go on. */
  async #restoreUnderDevices(): Promise<void> {
    const { devices, inUse, standby } = this.#stage;
    if (this.#random.chance(0.5)) await this.#restore({});
    devices.moveTo(standby);
    for (let count = this.#random.between(3, 12); count > 0; count -= 1) devices.act();
    await this.#asker.rest(3);
    await this.#restore({});
    if (this.#random.chance(0.5)) await this.#rollBack();
    if (this.#random.chance(0.5)) devices.moveTo(inUse);
  }

  async #repair(): Promise<void> {
    const { inUse } = this.#stage;
    for (const row of inUse.rows()) if (this.#random.chance(0.3)) inUse.lose(row.id);
    await this.#restore(intoItself(this.#stage));
  }

  async #wipe(): Promise<void> {
    this.#stage.standby.wipe();
    await this.#restore({});
  }

  /** Installations lose one of their rows, and stay. */
  async #tear(): Promise<void> {
    const { inUse } = this.#stage;
    for (const row of inUse.rows()) {
      if (row.installationId !== undefined && this.#random.chance(0.2)) inUse.lose(row.id);
    }
    await this.#backUp();
    await (this.#random.chance(0.3) ? this.#drill() : this.#restore({}));
  }

  async #letDaysPass(): Promise<void> {
    if (this.#options.isUsed) await this.#restore({});
    this.#stage.isQuiet = true;
    for (let weeks = this.#random.between(1, 5); weeks > 0; weeks -= 1) {
      await this.#stage.scheduler.sleep(this.#random.between(3, 9) * DAY_MS);
      if (this.#random.chance(0.8)) this.#stage.devices.renewAll();
    }
    this.#stage.isQuiet = false;
    if (this.#random.chance(0.3)) return;
    await this.#backUp();
    await this.#restore({});
  }

  #runs(): KnownRun[] {
    return this.#stage.oracle.runs.all();
  }

  #anyRestore(): string | undefined {
    const restores = this.#runs().filter(({ doc }) => doc.kind === 'restore' && doc.requestedBy === 'http');
    return this.#random.chance(0.7) ? restores.at(-1)?.id : this.#random.pickAny(restores)?.id;
  }
}
