import { randomBytes } from 'node:crypto';
import { type Call, type Command, read, toView } from './command.ts';
import { ApiRefusal, exitCodes, Interrupted, NotOurs, WrongUse } from './errors.ts';
import { type Json, textAt } from './json.ts';
import { patiently } from './patience.ts';
import { restoreBody } from './restore-body.ts';
import { exitCodeOf, nounOf, summarize } from './summary.ts';
import { isOver, watch } from './watch.ts';

type Collection = 'restores' | 'backups' | 'verifications' | 'drills';

export const backup: Command = {
  name: 'backup',
  summary: 'back the primary hub up now',
  options: ['watch'],
  async run(call) {
    try {
      return await begin(call, 'backups', 'POST', '/api/backups');
    } catch (error) {
      const isRunning = error instanceof ApiRefusal && error.code === 'RunInProgress';
      if (!isRunning || error.target === undefined || call.values.watch !== true) throw error;
      // The schedule was faster, and its backup is as good.
      call.terminal.err(`Backup ${error.target} is running already.\n`);
      return follow(call, 'backups', error.target);
    }
  },
};

export const restore: Command = {
  name: 'restore',
  summary: 'put a snapshot (the latest good one) into the secondary hub',
  options: [
    ...(['snapshot', 'target', 'dry-run', 'confirm', 'watch', 'note', 'id'] as const),
    ...(['only-platforms', 'only-tags', 'only-installations', 'only-users', 'order'] as const),
  ],
  async run(call) {
    const body = restoreBody(call.values);
    // Under an id of our own: a call whose answer was lost can be repeated without starting a second restore.
    const path = `/api/restores/${encodeURIComponent(call.values.id ?? newId(call.terminal.now()))}`;
    try {
      return await begin(call, 'restores', 'PUT', path, body);
    } catch (error) {
      const { ask } = call.terminal;
      const isRefused = error instanceof ApiRefusal && error.code === 'TargetIsSource';
      if (!isRefused || ask === undefined || body['confirm'] !== undefined) throw error;
      call.terminal.err(`${error.message}\n`);
      const confirm = await ask('Type the name of the hub to restore into it: ');
      return begin(call, 'restores', 'PUT', path, { ...body, confirm });
    }
  },
};

export const retry: Command = {
  name: 'retry',
  argument: 'ID',
  summary: 'restore again only the records that failed in a restore',
  options: ['watch'],
  run: (call) => begin(call, 'restores', 'POST', `${restorePath(call)}/retry`),
};

export const rollback: Command = {
  name: 'rollback',
  argument: 'ID',
  summary: 'take back what a restore wrote, where it still is as it was written',
  options: ['confirm', 'note', 'watch'],
  async run(call) {
    const { note } = call.values;
    const confirm = call.values.confirm ?? (await askForHub(call));
    const body = { confirm, ...(note === undefined ? {} : { note }) };
    return begin(call, 'restores', 'POST', `${restorePath(call)}/rollback`, body);
  },
};

export const verify: Command = {
  name: 'verify',
  argument: 'ID',
  summary: 'read a snapshot again, every checksum and every record of it',
  options: ['watch'],
  run: (call) => begin(call, 'verifications', 'POST', `/api/snapshots/${encodeURIComponent(call.argument)}/verify`),
};

export const drill: Command = {
  name: 'drill',
  summary: 'rehearse a restore into the scratch hub, or verify the latest snapshot where there is none',
  options: ['watch'],
  run: (call) => begin(call, 'drills', 'POST', '/api/drills'),
};

export const watchRun: Command = {
  name: 'watch',
  argument: 'ID',
  summary: 'watch a restore, retry, rollback, backup, verification or drill to its end',
  options: [],
  run: async (call) => follow(call, await collectionOf(call), call.argument),
};

export const cancel: Command = {
  name: 'cancel',
  argument: 'ID',
  summary: 'stop a restore; what is written stays, and a new restore goes on from there',
  options: [],
  async run(call) {
    const { body } = await call.client.call('POST', `${restorePath(call)}/cancel`);
    call.show(body, summarize(toView(body)));
    return exitCodes.done;
  },
};

/** Starts a run; without `--watch` shows it and is done, with it stays until the run is over. */
async function begin(
  call: Call,
  collection: Collection,
  method: 'POST' | 'PUT',
  path: string,
  body?: unknown,
): Promise<number> {
  const { client, terminal, values } = call;
  const start = () => client.call(method, path, body === undefined ? {} : { body });
  const repeat = method === 'PUT' ? 'repeatable' : 'once';
  const answer = values.watch ? await patiently(terminal, repeat, start) : await start();
  const view = toView(answer.body);
  const id = textAt(view, 'id') ?? '';
  if (values.watch) {
    terminal.err(`${nounOf(view)} ${id} started.\n`);
    return follow(call, collection, id);
  }
  call.show(view, summarize(withWatch(view)));
  return exitCodes.done;
}

async function follow(call: Call, collection: Collection, id: string): Promise<number> {
  try {
    const view = await watch(call.client, call.terminal, `/api/${collection}/${encodeURIComponent(id)}`);
    call.show(view, summarize(view));
    return exitCodeOf(view);
  } catch (error) {
    if (!(error instanceof Interrupted)) throw error;
    const noun = collection.slice(0, -1);
    throw new Interrupted(`The ${noun} goes on without you. Watch it again: notification-hubs-dr watch ${id}`);
  }
}

/** Views of runs other than restores name no next actions. */
function withWatch(view: Json): Json {
  return isOver(view) || 'nextActions' in view ? view : { ...view, nextActions: [{ name: 'watch' }] };
}

async function collectionOf(call: Call): Promise<Collection> {
  const collections: readonly Collection[] = ['restores', 'backups', 'verifications', 'drills'];
  for (const collection of collections) {
    const path = `/api/${collection}/${encodeURIComponent(call.argument)}`;
    try {
      await patiently(call.terminal, 'read', () => call.client.call('GET', path));
      return collection;
    } catch (error) {
      // An app of an older version does not know every kind of run.
      const isUnknownKind = error instanceof NotOurs && error.status === 404 && collection !== 'restores';
      if (!isUnknownKind && !(error instanceof ApiRefusal && error.status === 404)) throw error;
    }
  }
  throw new ApiRefusal(
    404,
    'RunNotFound',
    `There is no run '${call.argument}'. "notification-hubs-dr restores" lists the last restores.`,
  );
}

async function askForHub(call: Call): Promise<string> {
  const { ask } = call.terminal;
  const view = await read(call, restorePath(call));
  const hub = textAt(view, 'target', 'hub') ?? '';
  if (ask === undefined) {
    throw new WrongUse(`A rollback removes devices: add --confirm ${hub || 'NAME'}, the name of the hub it writes to.`);
  }
  call.terminal.err(
    `This removes from hub ${textAt(view, 'target', 'namespace')}/${hub} what ${call.argument} wrote there and nobody changed since.\n`,
  );
  const typed = await ask('Type the name of the hub to go on: ');
  if (typed.toLowerCase() === hub.toLowerCase()) return typed;
  throw new WrongUse('That is not the name of the hub. Nothing was done.');
}

function restorePath(call: Call): string {
  return `/api/restores/${encodeURIComponent(call.argument)}`;
}

/** As the app makes them: `2026-11-23T09-38-02Z-1a2b3c` sorts by time. */
function newId(nowMs: number): string {
  return `${new Date(nowMs).toISOString().slice(0, 19).replaceAll(':', '-')}Z-${randomBytes(3).toString('hex')}`;
}
