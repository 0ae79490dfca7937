import type { Written } from '../../../src/redundant/options.ts';
import type { PairWrites } from '../../../src/redundant/pair-writes.ts';
import { Died, tellError } from '../hosts.ts';
import type { Random } from '../random.ts';
import { TEMPLATE_NAME } from '../row.ts';
import type { Backend, DualStage } from './stage.ts';
import { type Change, type Deed, isTooLarge, Subject, TOO_MANY_TAGS, type Word } from './truth.ts';

const MINUTE_MS = 60_000;
/** A write ends within this, whatever happens to its hubs. */
const LONGEST_WRITE_MS = 5 * MINUTE_MS;

/** What devices, operators and chance do to a pair until all is written. */
export class Story {
  readonly #stage: DualStage;
  readonly #random: Random;
  #count = 0;
  #isOver = false;

  constructor(stage: DualStage) {
    this.#stage = stage;
    this.#random = stage.random('story');
  }

  async tell(): Promise<void> {
    const { drawn, sides } = this.#stage;
    if (drawn.outages === 'standby') sides[1].door.goAway();
    this.#tick();
    this.#failOver();
    await Promise.all(Array.from({ length: drawn.deviceCount }, (_, at) => this.#live(at)));
    this.#isOver = true;
  }

  /** A device, under one id after another. */
  async #live(at: number): Promise<void> {
    const { drawn } = this.#stage;
    const random = this.#stage.random(`device ${at}`);
    const kind = random.chance(0.6) ? 'installation' : 'registration';
    let handle = this.#newHandle();
    let subject = await this.#begin(kind, at);
    for (let round = 0; round < drawn.roundCount; round += 1) {
      await this.#sleep(random.spread(10, drawn.mostPauseMs));
      const lot = random.below(100);
      if (lot < 10) {
        // The device is the same; its app registers it under another id.
        while (!(await this.#say(subject, { kind: 'delete' }))) await this.#sleep(1000);
        subject = await this.#begin(kind, at);
        await this.#say(subject, { kind: 'put', word: this.#word(subject, handle, random) });
      } else if (lot < 16) {
        await this.#erase(subject, random);
        subject = await this.#begin(kind, at);
        handle = this.#newHandle();
      } else {
        const together = random.chance(drawn.together) ? 2 : 1;
        const one = subject;
        const changes = Array.from({ length: together }, () => {
          if (random.chance(0.2)) handle = this.#newHandle();
          return this.#change(one, handle, random);
        });
        await Promise.all(changes.map((change) => this.#say(one, change)));
      }
    }
  }

  /** Under an id that no device had. */
  async #begin(kind: Subject['kind'], at: number): Promise<Subject> {
    const { oracle } = this.#stage;
    this.#count += 1;
    const id = kind === 'installation' ? `i${at}-${this.#count}` : await this.#mintId();
    const subject = new Subject(kind, id);
    oracle.add(subject);
    return subject;
  }

  async #mintId(): Promise<string> {
    const { sides, scheduler } = this.#stage;
    for (;;) {
      const backend = this.#backend();
      const hub = this.#random.pick(sides).port;
      try {
        const deadlineAt = scheduler.now + (backend?.skewMs ?? 0) + 10_000;
        if (backend !== undefined) return await backend.ask(undefined, () => hub.createRegistrationId({ deadlineAt }));
      } catch (error) {
        this.#expect(error);
      }
      await this.#sleep(1000);
    }
  }

  #newHandle(): string {
    this.#count += 1;
    return `token${this.#count}`;
  }

  #word(subject: Subject, handle: string, random: Random): Word {
    this.#count += 1;
    const hasTemplate = subject.kind === 'installation' && random.chance(0.3);
    const body = hasTemplate ? `{"n":${random.below(3)}}` : undefined;
    return { platform: 'FcmV1', handle, tags: [subject.tag, `c${this.#count}`], body };
  }

  #change(subject: Subject, handle: string, random: Random): Change {
    const lot = random.below(100);
    if (lot < 15) return { kind: 'delete' };
    if (lot < 30 && subject.kind === 'installation') {
      this.#count += 1;
      return { kind: 'tag', tag: `p${this.#count}` };
    }
    if (lot < 40 && subject.kind === 'installation') return { kind: 'handle', handle };
    const word = this.#word(subject, handle, random);
    if (lot < 44 && subject.kind === 'installation') {
      const more = Array.from({ length: TOO_MANY_TAGS }, (_, at) => `t${at}`);
      return { kind: 'put', word: { ...word, tags: [...word.tags, ...more] } };
    }
    return { kind: 'put', word };
  }

  /** By one of the backend's processes. Gives whether it came to an answer that leaves no doubt that it is intended. */
  async #say(subject: Subject, change: Change): Promise<boolean> {
    const { scheduler, oracle, trace, engine } = this.#stage;
    let backend = this.#backend();
    while (backend === undefined) {
      await this.#sleep(500);
      backend = this.#backend();
    }
    const by = backend;
    const deed = oracle.begin(subject, change);
    let isOver = false;
    scheduler.after(LONGEST_WRITE_MS, () => {
      if (!isOver && by.pausedUntil < scheduler.now - LONGEST_WRITE_MS) oracle.violate('neverAnswers', deed.name);
    });
    trace(() => `SAYS ${deed.name} ${subject.id} ${change.kind} by ${by.name}`);
    try {
      const { other } = await by.ask(deed.name, (pair) => perform(pair, deed));
      this.#answered(deed, `other ${other}`);
      deed.answer = 'answered';
      return true;
    } catch (error) {
      if (error instanceof Died) this.#answered(deed, 'died');
      else if (!(error instanceof engine.RedundantHubError)) oracle.violate('appThrew', tellError(error));
      else {
        this.#answered(deed, `${error.code}${error.isQueued ? ' queued' : ''}`);
        if (error.code === 'NotFound' || error.code === 'Refused') this.#notTaken(deed);
        if (error.isQueued && !deed.isStored) oracle.violate('saysQueued', deed.name);
        return error.isQueued;
      }
      return false;
    } finally {
      isOver = true;
    }
  }

  /** What is whole is not refused, unless it is too large; nor a patch of what is there. */
  #notTaken(deed: Deed): void {
    deed.answer = 'notTaken';
    const isWhole = deed.change.kind === 'put' || deed.change.kind === 'delete';
    const isWrong = isWhole ? !isTooLarge(deed.change) : deed.of.isPlainlyThereFor(deed);
    if (isWrong) this.#stage.oracle.violate('refusedThoughFine', `${deed.name} ${deed.change.kind}`);
  }

  #answered({ name, change }: Deed, what: string): void {
    this.#stage.trace(() => `HEARS ${name} ${what}`);
    this.#stage.count(`${change.kind} ${what}`);
  }

  /** As an operator does it: what is intended is dropped; once it cannot land any more, the device is deleted. */
  async #erase(subject: Subject, random: Random): Promise<void> {
    const { engine, workers, trace, scheduler } = this.#stage;
    // What killed processes have sent to the storage is there by then.
    await this.#sleep(15_000);
    const kind = subject.kind === 'installation' ? 'installationId' : 'registrationId';
    let landingUntil: string | null = null;
    let isRepeated = false;
    for (;;) {
      const worker = random.pickAny(workers.filter((one) => one.isWell));
      try {
        if (worker === undefined) throw new Died();
        trace(() => `ERASES ${subject.id} by ${worker.name}`);
        const erased = await worker.ask(undefined, (app) => engine.erase(app, { kind, value: subject.id }));
        ({ landingUntil } = erased.intended);
        this.#stage.count(`erased, ${erased.intended.dropped} dropped`);
        break;
      } catch (error) {
        this.#expect(error);
        isRepeated = true;
        await this.#sleep(5000);
      }
    }
    if (landingUntil !== null) {
      // By the storage's clock.
      const ms = Date.parse(landingUntil) - this.#stage.container.now;
      if (ms > 0) await scheduler.sleep(ms + 1000);
    }
    // What one without an answer has dropped, the next one does not know.
    if (isRepeated) await this.#sleep(MINUTE_MS);
    subject.isErased = true;
    while (!(await this.#say(subject, { kind: 'delete' }))) await this.#sleep(1000);
  }

  /** Each minute the app looks, and chance has its turn. */
  #tick(): void {
    const { scheduler, drawn, backends, workers, sides, engine } = this.#stage;
    const random = this.#stage.random('minutes');
    const next = (): void => scheduler.after(MINUTE_MS, tick);
    const tick = (): void => {
      next();
      const worker = random.pickAny(workers.filter((one) => one.isWell));
      void worker?.attempt(engine.enqueueRepairs, (error) => error instanceof engine.DrError);
      if (this.#isOver || this.#stage.isHealed) return;
      for (const process of [...backends, ...workers]) {
        if (random.chance(drawn.killsPerMinute)) scheduler.after(random.below(MINUTE_MS), () => process.die());
      }
      const { door } = random.pick(sides);
      const isAny = drawn.outages === 'now and then' && sides.every((side) => !side.door.isAway);
      if (isAny && random.chance(0.3)) door.goAway(scheduler.now + random.spread(5000, 20 * MINUTE_MS));
    };
    next();
  }

  /** Operators declare now and then that the other hub is in use. */
  #failOver(): void {
    const { drawn, scheduler, sides } = this.#stage;
    const random = this.#stage.random('operators');
    for (let count = 0; count < drawn.failovers; count += 1) {
      const { ref } = sides[count % 2 === 0 ? 1 : 0];
      const name = `${ref.namespace}/${ref.hub}`;
      scheduler.after((count + random.next()) * 3 * MINUTE_MS, () => void this.#declare(name, random));
    }
  }

  async #declare(name: string, random: Random): Promise<void> {
    const { engine, workers } = this.#stage;
    for (let tries = 0; tries < 20; tries += 1) {
      const worker = random.pickAny(workers.filter((one) => one.isWell));
      try {
        if (worker === undefined) throw new Died();
        await worker.ask(undefined, (app) => engine.declareRole(app, { active: name, confirm: name, force: true }));
        this.#stage.trace(() => `ROLE ${name}`);
        this.#stage.count('failover');
        return;
      } catch (error) {
        this.#expect(error);
        await this.#sleep(2000);
      }
    }
  }

  #expect(error: unknown): void {
    if (error instanceof Died || error instanceof this.#stage.engine.DrError) return;
    this.#stage.oracle.violate('appThrew', tellError(error));
  }

  #backend(): Backend | undefined {
    return this.#random.pickAny(this.#stage.backends.filter((one) => one.isWell));
  }

  #sleep(milliseconds: number): Promise<void> {
    return this.#stage.scheduler.sleep(milliseconds);
  }
}

function perform(pair: PairWrites, { of: { kind, id }, change }: Deed): Promise<Written> {
  switch (change.kind) {
    case 'put':
      return kind === 'installation'
        ? pair.putInstallation(id, JSON.stringify(installationJson(id, change.word)))
        : pair.putRegistration(id, registrationXml(change.word));
    case 'delete':
      return kind === 'installation' ? pair.deleteInstallation(id) : pair.deleteRegistration(id);
    case 'tag':
      return pair.patchInstallation(id, [{ op: 'add', path: '/tags', value: change.tag }]);
    case 'handle':
      return pair.patchInstallation(id, [{ op: 'replace', path: '/pushChannel', value: change.handle }]);
    default:
      return change satisfies never;
  }
}

function installationJson(installationId: string, { handle, tags, body }: Word) {
  const templates = body === undefined ? {} : { templates: { [TEMPLATE_NAME]: { body } } };
  return { installationId, platform: 'fcmv1', pushChannel: handle, tags, ...templates };
}

function registrationXml({ handle, tags }: Word): string {
  return `<FcmV1RegistrationDescription xmlns="http://schemas.microsoft.com/netservices/2010/10/servicebus/connect"><Tags>${tags.join(',')}</Tags><FcmV1RegistrationId>${handle}</FcmV1RegistrationId></FcmV1RegistrationDescription>`;
}
