import { renderCard } from './card.ts';
import { type Call, type Command, read } from './command.ts';
import { exitCodes } from './errors.ts';
import { formatAge, formatCount, formatTable } from './format.ts';
import { countsAt, flagAt, listAt, numberAt, textAt } from './json.ts';
import { nounOf } from './summary.ts';

export const status: Command = {
  name: 'status',
  summary: 'would a failover now go well? the readiness card',
  options: [],
  async run(call) {
    const card = await read(call, '/api/status');
    call.show(card, renderCard(card, call.terminal.now()));
    return textAt(card, 'verdict') === 'NotReady' ? exitCodes.failed : exitCodes.done;
  },
};

export const snapshots: Command = {
  name: 'snapshots',
  summary: 'what there is to restore, newest first',
  options: [],
  async run(call) {
    const body = await read(call, '/api/snapshots');
    const nowMs = call.terminal.now();
    const rows = listAt(body, 'value').map((snapshot) => [
      textAt(snapshot, 'id') ?? '',
      formatAge(textAt(snapshot, 'readStartedAt'), nowMs),
      textAt(snapshot, 'health') ?? '',
      formatCount(numberAt(snapshot, 'counts', 'records') ?? 0),
      textAt(snapshot, 'proof', 'how') ?? '-',
      flagAt(snapshot, 'pinned') === true ? 'pinned' : '-',
      noteOf(snapshot),
    ]);
    const heading = ['SNAPSHOT', 'TAKEN', 'HEALTH', 'DEVICES', 'PROVEN BY', 'PINNED', ''];
    call.show(body, rows.length === 0 ? 'There is no snapshot yet.\n' : formatTable([heading, ...rows]));
    return exitCodes.done;
  },
};

export const restores: Command = {
  name: 'restores',
  summary: 'the last restores, newest first',
  options: [],
  async run(call) {
    const body = await read(call, '/api/restores');
    const nowMs = call.terminal.now();
    const rows = listAt(body, 'value').map((view) => [
      textAt(view, 'id') ?? '',
      formatAge(textAt(view, 'createdAt'), nowMs),
      typeof view === 'object' && view !== null ? nounOf({ ...view }) : '',
      textAt(view, 'error', 'code') ?? textAt(view, 'status') ?? '',
      countsAt(view, 'counts')
        .map(([name, count]) => `${formatCount(count)} ${name}`)
        .join(', '),
    ]);
    const heading = ['ID', 'STARTED', 'WHAT', 'STATUS', 'DEVICES'];
    call.show(body, rows.length === 0 ? 'There was no restore yet.\n' : formatTable([heading, ...rows]));
    return exitCodes.done;
  },
};

export const report: Command = {
  name: 'report',
  argument: 'ID',
  summary: 'one page on a restore, to keep: what, who, when, counts, reasons, proof (Markdown)',
  options: [],
  async run(call) {
    const path = `/api/restores/${encodeURIComponent(call.argument)}/report`;
    if (call.values.json) {
      call.show(await read(call, path), '');
      return exitCodes.done;
    }
    const { body } = await call.client.call('GET', path, { accept: 'text/markdown' });
    call.show(body, `${String(body).trimEnd()}\n`);
    return exitCodes.done;
  },
};

export const failures: Command = {
  name: 'failures',
  argument: 'ID',
  summary: 'the records a restore could not bring back, with their reasons',
  options: [],
  async run(call) {
    const value: unknown[] = [];
    const path = `/api/restores/${encodeURIComponent(call.argument)}/failures`;
    for (let query: string | undefined = ''; query !== undefined; ) {
      const page = await read(call, `${path}${query}`);
      value.push(...listAt(page, 'value'));
      query = URL.parse(textAt(page, 'nextLink') ?? '')?.search;
    }
    const rows = value.map((failure) => [
      textAt(failure, 'code') ?? '',
      `${numberAt(failure, 'status') ?? '-'}`,
      textAt(failure, 'record') ?? '',
    ]);
    call.show(
      { value },
      rows.length === 0 ? 'No record failed.\n' : formatTable([['REASON', 'HTTP', 'RECORD'], ...rows]),
    );
    return exitCodes.done;
  },
};

export const pin: Command = {
  name: 'pin',
  argument: 'ID',
  summary: 'keep a snapshot whatever the retention says',
  options: [],
  run: (call) => setPin(call, 'PUT'),
};

export const unpin: Command = {
  name: 'unpin',
  argument: 'ID',
  summary: 'leave a snapshot to the retention again',
  options: [],
  run: (call) => setPin(call, 'DELETE'),
};

async function setPin(call: Call, method: 'PUT' | 'DELETE'): Promise<number> {
  const { body } = await call.client.call(method, `/api/snapshots/${encodeURIComponent(call.argument)}/pin`);
  const isPinned = flagAt(body, 'pinned') ?? method === 'PUT';
  call.show(body, `${textAt(body, 'id') ?? call.argument} is ${isPinned ? 'pinned' : 'not pinned'}.\n`);
  return exitCodes.done;
}

/** Why a snapshot is suspect or cannot be used. */
function noteOf(snapshot: unknown): string {
  const error = textAt(snapshot, 'error', 'code');
  return error ?? listAt(snapshot, 'healthReasons').map(String).join('; ');
}
