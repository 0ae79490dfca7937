import { exportText } from './export-job.ts';
import { importLine, importLines, type JobTarget } from './import-job.ts';
import type { Job, JobRequest } from './job.ts';
import { fileUrl, type JobFiles } from './job-files.ts';
import { type Random, registrationId, uuid } from './random.ts';
import type { World } from './world.ts';

/** The largest number of 100 ns there is in a date, from which the service counts down to make ids that sort newest first. */
const MAX_TICKS = 3_155_378_975_999_999_999n;
const TICKS_TO_1970 = 621_355_968_000_000_000n;
/** Rows carried out before others have their turn. */
const importGroup = 200;

/** The jobs of one hub, which run beside everything else. */
export class JobStore {
  readonly #hub: JobTarget;
  readonly #world: World;
  readonly #scope: string;
  readonly #files: JobFiles;
  readonly #random: Random;
  readonly #jobs = new Map<string, Job>();
  /** What was read of files that may go. */
  readonly #inputs = new Map<string, Promise<string>>();
  #stuck: (() => void)[] = [];

  constructor(hub: JobTarget, parts: { readonly world: World; readonly scope: string; readonly files: JobFiles }) {
    this.#hub = hub;
    this.#world = parts.world;
    this.#scope = parts.scope;
    this.#files = parts.files;
    this.#random = parts.world.random(`${parts.scope}#jobs`);
  }

  /** Newest first, as their ids sort. */
  list(): Job[] {
    return [...this.#jobs.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
  }

  find(id: string): Job | undefined {
    return this.#jobs.get(id);
  }

  submit(request: JobRequest): Job {
    const at = new Date(this.#world.now());
    const job: Job = {
      ...request,
      id: `${MAX_TICKS - (TICKS_TO_1970 + BigInt(at.getTime()) * 10_000n)}${uuid(this.#random)}`,
      status: 'Started',
      progress: 0,
      createdAt: at,
      updatedAt: at,
    };
    this.#jobs.set(job.id, job);
    this.#after(this.#hub.switches.jobStartDelayMs, () => this.#start(job));
    return job;
  }

  /** Jobs that are stuck go on as if nothing had been; gives how many. */
  release(): number {
    const stuck = this.#stuck;
    this.#stuck = [];
    for (const goOn of stuck) goOn();
    return stuck.length;
  }

  #start(job: Job): void {
    this.#change(job.id, { status: 'Running' });
    if (job.importFileUri !== undefined && this.#hub.switches.importReadsFirst) {
      const input = this.#files.read(job.importFileUri);
      // The job that asks for it sees how it ended.
      input.catch(() => {});
      this.#inputs.set(job.id, input);
    }
    const goOn = (): void => this.#after(this.#hub.switches.jobDurationMs, () => this.#carryOut(job));
    if (this.#hub.switches.jobOutcome === 'stuck') this.#stuck.push(goOn);
    else goOn();
  }

  #carryOut(job: Job): void {
    this.#run(job).then(
      () => this.#change(job.id, { status: 'Completed', progress: this.#hub.switches.jobLastProgress }),
      // Whatever goes wrong with the storage is the job's failure.
      (error: unknown) => this.#change(job.id, { status: 'Failed', failure: messageOf(error) }),
    );
  }

  async #run(job: Job): Promise<void> {
    const { jobOutcome, userDelegationSas, jobPaths } = this.#hub.switches;
    if (jobOutcome === 'fails') throw new Error('The job could not be completed because of an internal error.');
    const parameters = new URL(job.outputContainerUri).searchParams;
    if (userDelegationSas === 'refuse' && parameters.has('skoid')) throw new Error('The output container is invalid.');
    // Documented: read, write and list.
    const missing = [...'rwl'].filter((right) => !(parameters.get('sp') ?? '').includes(right));
    if (missing.length > 0) throw new Error('The SAS of the output container is short of permissions.');
    const [namespace = '', hub = ''] = this.#scope.split('/');
    const folder = `${namespace}${jobPaths === 'one-slash' ? '/' : '//'}${hub}/${job.id}`;
    const outputs = { output: `${folder}/Output.txt`, failed: `${folder}/Failed.txt` };
    const { output, failed } = jobOutcome === 'does-nothing' ? nothing : await this.#work(job);
    await this.#files.write(fileUrl(job.outputContainerUri, outputs.failed), failed);
    await this.#files.write(fileUrl(job.outputContainerUri, outputs.output), output);
    if (jobPaths !== 'not-stated') this.#change(job.id, { outputs });
  }

  async #work(job: Job): Promise<{ output: Iterable<string>; failed: Iterable<string> }> {
    if (job.importFileUri === undefined) {
      const rows = [...this.#hub.listed()];
      return { output: exportText(rows, this.#hub.switches, job.id), failed: [] };
    }
    const text = await (this.#inputs.get(job.id) ?? this.#files.read(job.importFileUri));
    const lines = importLines(text, this.#hub.switches);
    const [output, failed]: [string[], string[]] = [[], []];
    const { importLossShare, importCutShort } = this.#hub.switches;
    for (let at = 0; at < lines.length; at += importGroup) {
      for (const [index, line] of lines.slice(at, at + importGroup).entries()) {
        const number = at + index + 1;
        const isLost = this.#random() < importLossShare;
        const imported = isLost
          ? { output: `${number},${registrationId(this.#random)}` }
          : importLine(this.#hub, job.type, line, number);
        output.push(`${imported.output}\n`);
        if ('failed' in imported && imported.failed !== undefined) failed.push(`${imported.failed}\n`);
      }
      this.#change(job.id, { progress: Math.floor((100 * at) / lines.length) });
      await new Promise<void>((resolve) => this.#world.after(0, resolve));
    }
    return { output: importCutShort ? output.slice(0, output.length / 2) : output, failed };
  }

  #change(id: string, changes: Partial<Job>): void {
    const job = this.#jobs.get(id);
    if (job !== undefined) this.#jobs.set(id, { ...job, ...changes, updatedAt: new Date(this.#world.now()) });
  }

  #after(milliseconds: number, run: () => void): void {
    this.#world.after(milliseconds / this.#hub.switches.delaySpeed, run);
  }
}

const nothing = { output: [], failed: [] };

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
