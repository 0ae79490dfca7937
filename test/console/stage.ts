import { readRestoreView } from '../../src/app/restore/view.ts';
import { startVerification } from '../../src/app/snapshots/start-verification.ts';
import { runStep } from '../../src/app/steps/run-step.ts';
import { watch } from '../../src/app/watchdog.ts';
import { DrError } from '../../src/core/errors.ts';
import type { Hub } from '../../src/core/ports.ts';
import { parseStep } from '../../src/core/run/step.ts';
import { backUp, seed } from '../support/drive.ts';
import { createEngine, type Engine, type EngineOptions } from '../support/engine.ts';
import { anAppleRow, register } from '../support/rows.ts';

const HOUR_MS = 3_600_000;
const DEVICES = 60;
export const primary = { namespace: 'contoso-push-westeurope', hub: 'devices' };
export const secondary = { namespace: 'contoso-push-northeurope', hub: 'devices' };

/** How the secondary is, from the moment a state says so. */
export interface Weather {
  /** Virtual time that a write takes. */
  writeMs: number;
  isAway: boolean;
  isSourceAway: boolean;
  throttledMs: number;
}

export interface Stage {
  readonly engine: Engine;
  readonly weather: Weather;
}

/** A stage of its own, which begins where another one is. */
export function aStage(options: EngineOptions = {}, before?: Engine): Stage {
  const weather: Weather = { writeMs: 0, isAway: false, isSourceAway: false, throttledMs: 0 };
  const wrap: EngineOptions['wrap'] = (parts) => ({
    primary: underWeather(
      parts.primary,
      () => weather.isSourceAway,
      weather,
      (ms) => engine.advance(ms),
    ),
    secondary: underWeather(
      parts.secondary,
      () => weather.isAway,
      weather,
      (ms) => engine.advance(ms),
    ),
  });
  const policy = { stepBudgetMs: 4000, ...options.policy };
  const engine: Engine = before?.fork(wrap) ?? createEngine({ refs: { primary, secondary }, ...options, policy, wrap });
  return { engine, weather };
}

/** The hub as its callers see it: each call takes time, and may find it away or throttling. */
function underWeather(hub: Hub, isAway: () => boolean, weather: Weather, sleep: (milliseconds: number) => void): Hub {
  let throttledMs = 0;
  const before = (name: keyof Hub): void => {
    if (isAway()) {
      const message = `Hub ${hub.ref.namespace}/${hub.ref.hub} does not answer.`;
      const target = `${hub.ref.namespace}/${hub.ref.hub}`;
      throw new DrError('HubUnavailable', message, {
        target,
        retryable: true,
        hasNoEffect: true,
        seen: 'ECONNREFUSED',
      });
    }
    if (!name.startsWith('put')) return;
    sleep(weather.writeMs + weather.throttledMs);
    throttledMs += weather.throttledMs;
  };
  return new Proxy(hub, {
    get(target, name: keyof Hub) {
      const member: unknown = Reflect.get(target, name);
      if (name === 'pace') {
        return () => ({
          ...{ requestCount: 100, throttledCount: throttledMs > 0 ? 40 : 0 },
          millisecondsLostToThrottling: throttledMs,
          ...(throttledMs > 0 ? { requestsPerSecond: 4.2 } : {}),
        });
      }
      if (typeof member !== 'function') return member;
      return async (...args: unknown[]) => {
        before(name);
        return Reflect.apply(member, target, args);
      };
    },
  });
}

/** Enough platforms for a table that is wider than a phone. */
function seedPlatforms(engine: Engine): void {
  seed(engine, DEVICES);
  const kinds = [
    ['FcmV1', 'FcmV1RegistrationId', 30],
    ['Windows', 'ChannelUri', 13],
    ['Adm', 'AdmRegistrationId', 7],
  ] as const;
  for (const [kind, handle, count] of kinds) {
    for (let index = 0; index < count; index++) {
      const id = `${kind.length}${index}7-7-1`;
      const value = kind === 'Windows' ? `https://wns.example/${index}` : `${kind}-handle-${index}`;
      const xml = anAppleRow({ id, tags: ['news', `city:${index % 5}`] })
        .replaceAll('AppleRegistrationDescription', `${kind}RegistrationDescription`)
        .replace(/<DeviceToken>[^<]*<\/DeviceToken>/, `<${handle}>${value}</${handle}>`);
      engine.primary.rows.set(id, xml);
    }
  }
}

/** More devices, and a backup an hour after the one before. */
export async function nextBackup({ engine }: Stage, added: number): Promise<string> {
  engine.advance(HOUR_MS - 120_000);
  for (let index = 0; index < added; index++)
    register(engine.primary, `${engine.app.world.now() % 1e7}${index}9-5-1`, []);
  const id = await backUp(engine);
  await engine.drain();
  await watch(engine.app);
  return id;
}

export async function aBackedUpStage(options?: EngineOptions): Promise<Stage> {
  const stage = aStage(options);
  seedPlatforms(stage.engine);
  for (const added of [0, 9, 4, 0, 7]) await nextBackup(stage, added);
  return stage;
}

/** Whatever it takes to be Ready; done once. */
export async function aReadyStage(options?: EngineOptions): Promise<Stage> {
  if (options !== undefined) return makeReady(await aBackedUpStage(options));
  ready ??= aBackedUpStage().then(makeReady);
  return aStage({}, (await ready).engine);
}

let ready: Promise<Stage> | undefined;

async function makeReady(stage: Stage): Promise<Stage> {
  await startVerification(stage.engine.app, 'latest', 'http');
  await later(stage, 90);
  return stage;
}

/** What is due meanwhile is done, and the watchdog looks. */
export async function later({ engine }: Stage, seconds: number): Promise<void> {
  await engine.drain();
  engine.advance(seconds * 1000);
  await watch(engine.app);
}

/** Delivers one message after another until a look at the run is as wished. */
export async function until({ engine }: Stage, id: string, isSo: (view: RestoreView) => boolean): Promise<void> {
  while (!isSo(await readRestoreView(engine.app, id))) await step(engine);
}

export async function step({ app, queue, advance }: Engine): Promise<void> {
  const nextAt = queue.nextAt();
  if (nextAt === undefined) throw new Error('Nothing is left to do.');
  advance(Math.max(0, nextAt - app.world.now()));
  for (const text of queue.take(1)) await runStep(app, parseStep(JSON.parse(text)));
}

type RestoreView = Awaited<ReturnType<typeof readRestoreView>>;
