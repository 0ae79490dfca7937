import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { BlobServiceClient } from '@azure/storage-blob';
import { startAzurite } from '../../local/azurite.ts';
import { readOptions, wholeNumber } from '../../local/options.ts';
import { ExportRows } from '../../src/app/backup/export-rows.ts';
import { createJobFiles } from '../../src/azure/job-files.ts';
import type { Hub } from '../../src/core/ports.ts';
import { parseHubConnection } from '../../src/hub/access/connection-string.ts';
import { createHub } from '../../src/hub/client.ts';
import { Limiter } from '../../src/hub/pace/limiter.ts';
import { forgetPeak, peakBytesOf } from './child.ts';
import { median } from './figures.ts';
import { startHubs } from './hubs.ts';

const help = `node test/bench/export-reading.ts [options]

Reads the file of an export job from azurite beside listings of the same rows, in turns: medians of three.

  --devices N   in the hub (default: 865000, some 1,000,000 registrations)
  --help
`;

const CONTAINER = 'dr-export-bench';
const FILE = 'primary//devices/1/Output.txt';
/** Pages of a listing at 20 ms: each costs the same, and all of them would take minutes. */
const SLOW_PAGES = 500;
const RUNS = 3;

const options = readOptions(help, { devices: { type: 'string', default: '865000' } });
const folder = await mkdtemp(join(tmpdir(), 'export-reading-'));
try {
  await measure(wholeNumber(help, 'devices', options.devices, 1000));
} finally {
  await rm(folder, { recursive: true });
}

async function measure(devices: number): Promise<void> {
  await using hubs = await startHubs(devices, folder);
  await using azurite = await startAzurite();
  const clock = { now: Date.now, sleep: (milliseconds: number): Promise<void> => sleep(milliseconds) };
  const hub = createHub({
    connection: parseHubConnection(hubs.plain.connectionString, 'primary', 'BENCH'),
    clock,
    random: Math.random,
    limiter: new Limiter({ maxConcurrency: 1, clock }),
  });
  const sizeBytes = await upload(azurite.connectionString, hub);
  const files = createJobFiles({ connection: { kind: 'connectionString', value: azurite.connectionString } });
  const figures = { export: [] as number[], list0: [] as number[], list20: [] as number[], peak: [] as number[] };
  for (let run = 0; run < RUNS; run += 1) {
    await hubs.setLatency(0);
    figures.list0.push(await rateOf(hub));
    await hubs.setLatency(20);
    figures.list20.push(await rateOf(hub, SLOW_PAGES));
    await forgetPeak(process.pid);
    const file = new ExportRows(hub.ref, sizeBytes, (range) => files.read(CONTAINER, FILE, range));
    figures.export.push(await rateOf(file));
    figures.peak.push(await peakBytesOf(process.pid));
  }
  await hub.close();
  const [ofExport, list0, list20] = [figures.export, figures.list0, figures.list20].map(median);
  const peakMb = Math.round(Math.max(...figures.peak) / 1e6);
  process.stdout.write(
    `${JSON.stringify({ rows: hubs.rowCount, megabytes: Math.round(sizeBytes / 1e6), rowsPerSecond: figures, times: { of0ms: round(ofExport, list0), of20ms: round(ofExport, list20) }, peakMb })}\n`,
  );
}

function round(one = Number.NaN, other = Number.NaN): number {
  return Math.round((100 * one) / other) / 100;
}

/** Rows a second, of as many pages. */
async function rateOf(rows: Pick<Hub, 'listPage'>, mostPages = Number.POSITIVE_INFINITY): Promise<number> {
  const from = performance.now();
  const call = { deadlineAt: Date.now() + 3_600_000 };
  let [count, pages] = [0, 0];
  for (let token: string | undefined; pages < mostPages; pages += 1) {
    const page = await rows.listPage(token, call);
    if (page === 'tokenLost') throw new Error('The token is lost.');
    count += page.rows.length;
    token = page.nextToken;
    if (token === undefined) break;
  }
  return Math.round((1000 * count) / (performance.now() - from));
}

/** What a job would have written: each row in the base form, one after another. */
async function upload(connectionString: string, hub: Hub): Promise<number> {
  const container = BlobServiceClient.fromConnectionString(connectionString).getContainerClient(CONTAINER);
  await container.create();
  const blob = container.getBlockBlobClient(FILE);
  const ids: string[] = [];
  let sizeBytes = 0;
  let lines: string[] = [];
  const flush = async (): Promise<void> => {
    const block = Buffer.from(lines.join(''));
    lines = [];
    const id = Buffer.from(String(ids.length).padStart(6, '0')).toString('base64');
    await blob.stageBlock(id, block, block.length);
    ids.push(id);
    sizeBytes += block.length;
  };
  const call = { deadlineAt: Date.now() + 3_600_000 };
  for (let token: string | undefined; ; ) {
    const page = await hub.listPage(token, call);
    if (page === 'tokenLost') throw new Error('The token is lost.');
    for (const row of page.rows) lines.push(`${toBase(Buffer.from(row).toString())}\n`);
    if (lines.length >= 10_000) await flush();
    token = page.nextToken;
    if (token === undefined) break;
  }
  await flush();
  await blob.commitBlockList(ids);
  return sizeBytes;
}

function toBase(xml: string): string {
  const [whole = '', name = '', attributes = ''] = /^<(\w+)([^>]*)>/.exec(xml) ?? [];
  const inside = xml.slice(whole.length, xml.lastIndexOf('</'));
  return `<RegistrationDescription${attributes} i:type="${name}">${inside}</RegistrationDescription>`;
}
