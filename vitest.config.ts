import { availableParallelism } from 'node:os';
import { setFlagsFromString } from 'node:v8';
import { defineConfig, type TestProjectInlineConfiguration } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';
import { compileCache } from './local/compile-cache.ts';

const all = ['test/**/*.test.ts'];

/** They take long for what each finds: hosts die and are waited for, whole disasters, a fault at each write or document. */
const long = [
  'test/e2e/{console-failures,drill,runbook,worst-night}.test.ts',
  'test/app/{crash,drill-crash,failover-crash,rollback-crash,sync-churn,sync-crash}.test.ts',
  'test/dual/library.test.ts',
  'test/faults/{artefacts,poison-records,secrets}.test.ts',
  'test/simulation/{simulation,dual/dual}.test.ts',
];

/** What is too long for CI: a part of `npm run soak`. */
const soak = [
  'test/dual/chaos.test.ts',
  'test/e2e/{bad-storage,chaos,deployments,job-defects,killed-hosts,planted-drill,rollback,two-apps}.test.ts',
];

/**
 * Of these `npm run soak` tries four to eight times as many cases, deaths before each write, too, all stories of the drill, or all
 * sizes and schemes of the console.
 */
const properties = [
  'test/console/walk.test.ts',
  'test/e2e/drill.test.ts',
  'test/property/{connection-strings,forms-of-the-service,likeness,registration,round-trip}.test.ts',
  'test/property/{rows-at-a-glance,usual-registration}.test.ts',
  'test/app/{crash,drill-crash,failover-crash,rollback,rollback-crash,sync-churn,sync-crash}.test.ts',
  'test/app/{two-hosts,whose-row}.test.ts',
  'test/core/{any-order,schedule,torn-installations}.test.ts',
  'test/{config/config,faults/at-least-once,hub/page}.test.ts',
];

/** They start processes: a stack, a browser, a host, a benchmark. */
const e2e = [
  'test/e2e/**/*.test.ts',
  'test/console/walk.test.ts',
  'test/host/{http,loading,queues,timers}.test.ts',
  'test/bench/fast-hub.test.ts',
  'test/cli/run-commands.test.ts',
  'test/{lint,local}/**/*.test.ts',
];

/** They open sockets in their own process, or start azurite. */
const integration = [
  'test/feedback/emulated.test.ts',
  'test/contract/**/*.test.ts',
  'test/emulator/{access,community-errors,faults,installations,exchanges,page-faults,paging,rate-limit}.test.ts',
  'test/emulator/{late-writes,lists,stored-otherwise,registrations,sdk,seed,sends,sdk-calls,jobs,test-bench,tier}.test.ts',
  'test/app/{export-jobs,import-jobs,request-counts}.test.ts',
  'test/bench/{options,wire}.test.ts',
  'test/cli/{command-line,read-commands,role-commands}.test.ts',
  'test/faults/{fuzzed-answers,hostile-hub,doctor,keys-by-identity,limits-of-calls,metadata}.test.ts',
  'test/host/run-host.test.ts',
  'test/hub/{client,client-faults,client-writes,tls}.test.ts',
  'test/notify/**/*.test.ts',
  'test/property/{requests,round-trip}.test.ts',
  'test/queue/**/*.test.ts',
  'test/regressions/{blob-said-to-exist-is-missing,bytes-changed-on-their-way}.test.ts',
  'test/storage/{azure-blobs,managed-identity}.test.ts',
];

/**
 * The longest of each project, begun first: a long file that begins last is waited for with one core at rest. The
 * simulation comes after the other long ones: it computes all the time, and hosts that others wait for would start late.
 */
const longest = [
  ...['runbook', 'drill', 'rollback-crash', 'artefacts'],
  ...['poison-records', 'console-failures', 'secrets', 'cli', 'walk', 'worker'],
  ...['console', 'drill-run', 'timers', 'limits-of-calls', 'hostile-hub', 'round-trip'],
  ...['two-hosts', 'drill', 'page', 'whose-row', 'likeness', 'rollback-looks', 'rows-at-a-glance'],
];

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const order = ['long', 'e2e', 'integration', 'unit'];
    const rank = ({ project, moduleId }: TestSpecification): number => {
      const at = longest.findIndex((name) => moduleId.endsWith(`/${name}.test.ts`));
      return order.indexOf(project.name) * 100 + (at < 0 ? longest.length : at);
    };
    return files.toSorted((a, b) => rank(a) - rank(b) || (a.moduleId < b.moduleId ? -1 : 1));
  }
}

// Property tests make much short-lived garbage: with this room for it, the unit project takes a tenth less CPU. Set here,
// because threads refuse such options of their own.
for (const flag of ['--min-semi-space-size=32', '--max-semi-space-size=64']) setFlagsFromString(flag);

const withStacks = ['test/support/build-app.ts', 'test/support/start-azurite.ts'];

/**
 * Node strips the types by itself; through Vite's module runner each call of an import costs a getter, a tenth in all. The
 * others have a file that replaces a module, for which the runner is needed.
 */
const native = { experimental: { viteModuleRunner: false, nodeLoader: false } };

const projects = {
  soak: { include: [...soak, ...properties], globalSetup: withStacks },
  long: { ...native, include: long, globalSetup: withStacks },
  e2e: { include: e2e, exclude: [...soak, ...long], globalSetup: withStacks },
  integration: { ...native, include: integration, globalSetup: 'test/support/start-azurite.ts' },
  unit: {
    ...native,
    include: all,
    exclude: [...soak, ...long, ...e2e, ...integration],
    pool: 'threads',
    // They only compute: each thread more would compile the same code once more. After the others, which mostly wait.
    maxWorkers: availableParallelism(),
    sequence: { groupOrder: 1 },
  },
} satisfies Readonly<Record<string, TestProjectInlineConfiguration['test']>>;

type Name = keyof typeof projects;
const usual: readonly Name[] = ['e2e', 'integration', 'unit'];

/** `--mode`: `npm test` is quick, unless `LONG` is set as CI does; part of `npm run soak` is for that alone. */
const namesOf = (mode: string): readonly Name[] =>
  mode === 'quick' && process.env['LONG'] === undefined ? usual : mode === 'soak' ? ['soak'] : ['long', ...usual];

export default defineConfig(({ mode }) => ({
  test: {
    // For the processes that tests start.
    env: compileCache,
    provide: { isSoak: mode === 'soak' },
    // On a machine that does other things, too.
    testTimeout: 240_000,
    hookTimeout: 60_000,
    expect: { poll: { timeout: 60_000 } },
    // More than twice the cores of a small machine: e2e files mostly wait.
    maxWorkers: 5,
    isolate: false,
    sequence: { sequencer: LongestFirst },
    projects: namesOf(mode).map((name) => ({ extends: true, test: { name, ...projects[name] } })),
  },
}));
